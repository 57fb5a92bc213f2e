//! Sweeps that are one question.

use super::answer::{self, Fields, Quirks};
use crate::platform::{ApiRequest, ApiResponse, Failure, Findings, Walk};

/// The question, and what its answer is read with.
struct Question<R> {
    request: Option<ApiRequest>,
    read: R,
    findings: Findings,
}

/// Asks `request`, and reads the answer with `read`, which gets it in one piece or as the failure that it is.
/// The quirks of the findings come from the [`Quirks`].
pub fn walk<R>(request: ApiRequest, read: R) -> Box<dyn Walk>
where
    R: FnMut(Result<Fields, Failure>, &ApiResponse, &mut Quirks) -> Result<Findings, Failure>
        + Send
        + 'static,
{
    Box::new(Question { request: Some(request), read, findings: Findings::default() })
}

impl<R> Walk for Question<R>
where
    R: FnMut(Result<Fields, Failure>, &ApiResponse, &mut Quirks) -> Result<Findings, Failure> + Send,
{
    fn ask(&mut self) -> Option<ApiRequest> {
        self.request.take()
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Failure> {
        let mut quirks = Quirks::default();
        let document = answer::document(answer, &mut quirks);
        let findings = (self.read)(document, answer, &mut quirks)?;
        self.findings = Findings { quirks: quirks.into_names(), ..findings };
        Ok(())
    }

    fn findings(self: Box<Self>) -> Findings {
        self.findings
    }
}
