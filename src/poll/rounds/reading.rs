//! One request of a sweep: asked, sent, its answer read.

use super::{Progress, Rounds, work::Work};
use crate::{
    platform::{ApiRequest, ApiResponse, Listed, SweepTask, exchange::Method},
    poll::{board::UnderWay, budget::Pass, sweep::Sweep, trouble::Trouble},
    ports::HttpRequest,
    store::StoreError,
    telemetry,
};

/// Why a sweep cannot go on.
enum Stop {
    /// It failed.
    Trouble(Trouble),
    /// The store failed: the platform has nothing to do with it.
    Store(StoreError),
}

impl Rounds {
    /// Does one request of a sweep, and begins or ends the sweep if that is due.
    pub(super) async fn advance(&mut self, work: Work, mut pass: Pass) -> Progress {
        let waited = metrics::histogram!(telemetry::BUDGET_WAIT_SECONDS, "platform" => self.platform());
        waited.record(pass.waited.as_secs_f64());
        let read = self.read(work, &mut pass).await;
        if let Work::Routine(index) = work {
            self.watches[index].under_way = None;
        }
        match read {
            Ok(sweep) if sweep.next.is_some() => {
                self.note_under_way(work, &sweep);
                *self.sweep_of(work) = Some(sweep);
                Progress::Worked
            }
            Ok(sweep) => {
                drop(pass);
                self.finish(work, sweep).await
            }
            Err(Stop::Trouble(trouble)) => {
                if !self.asks_for_renewal(work, &trouble, self.shared.clock.now()) {
                    self.fail(work, trouble, Some(pass)).await;
                }
                Progress::Worked
            }
            Err(Stop::Store(error)) => self.postpone(work, error, Some(pass)).await,
        }
    }

    async fn read(&mut self, work: Work, pass: &mut Pass) -> Result<Sweep, Stop> {
        let mut sweep = match self.sweep_of(work).take() {
            Some(sweep) => sweep,
            None => self.begin(work).await?,
        };
        self.note_under_way(work, &sweep);
        self.show();
        if let Some(request) = sweep.next.take() {
            let answer = self.exchange(&request, pass).await?;
            sweep.hear(&answer, self.shared.clock.now())?;
            sweep.token_version = self.sent_version().or(sweep.token_version);
        }
        Ok(sweep)
    }

    fn note_under_way(&mut self, work: Work, sweep: &Sweep) {
        if let Work::Routine(index) = work {
            self.watches[index].under_way =
                Some(UnderWay { since: sweep.began_at, requests: sweep.requests });
        }
    }

    async fn begin(&mut self, work: Work) -> Result<Sweep, Stop> {
        let account = &self.account.settings;
        let kind = self.watches[self.watch_of(work)].kind;
        let target = self.target_of(work);
        // It may be much, and what reads one thing does not compare lists.
        let listed = match target {
            Some(_) => Listed::default(),
            None => self.shared.store.listed(&account.name, kind.name).await?,
        };
        let watch = &self.watches[self.watch_of(work)];
        let task = SweepTask {
            watch: kind,
            account,
            target,
            cursor: watch.standing.cursor.as_ref(),
            listed: &listed,
            now: self.shared.clock.now(),
            fingerprint: &|secret| self.shared.store.fingerprint(secret),
        };
        Ok(Sweep::begin(self.poll, task)?)
    }

    async fn exchange(&mut self, asked: &ApiRequest, pass: &mut Pass) -> Result<ApiResponse, Stop> {
        let token = self.token_for(asked)?;
        let name = &self.account.settings.name;
        let request =
            HttpRequest::of(&self.account.base_url, asked, token.as_ref()).map_err(Trouble::from)?;
        let asked_at = pass.begin(&self.shared.store).await?;
        let result = self.shared.http.send(request).await;
        let status = match &result {
            Ok(answer) => ["1xx", "2xx", "3xx", "4xx", "5xx"]
                .get(usize::from(answer.status / 100).wrapping_sub(1))
                .unwrap_or(&"other"),
            Err(_) => "none",
        };
        metrics::counter!(telemetry::API_REQUESTS, "platform" => self.platform(), "status" => status)
            .increment(1);
        tracing::debug!("{}/{name} {} {} {status}", self.platform(), method(asked), asked.path);
        let answer = result.map_err(Trouble::from)?;
        Ok(ApiResponse {
            status: answer.status,
            retry_after: answer.retry_after,
            body: answer.body,
            asked_at,
        })
    }
}

fn method(request: &ApiRequest) -> &'static str {
    match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
