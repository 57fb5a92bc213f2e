//! What a platform may know of an account.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::model::AccountName;

/// The part of an account's configuration that its platform reads.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// The account's name here.
    pub name: AccountName,
    /// The platform's own name of the account.
    pub service_account: String,
    /// Key of the signature on the platform's webhook.
    pub webhook_secret: Option<SecretString>,
    /// Parameter name on the wire → name of the figure it carries; names are the account's own choice.
    pub progress_fields: BTreeMap<String, String>,
    /// Charset of form bodies, whatever they declare; decided by declaration, then by the bytes when absent.
    pub charset: Option<&'static encoding_rs::Encoding>,
}
