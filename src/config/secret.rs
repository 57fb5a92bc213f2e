//! A secret in the configuration: where it is, never what it is.

use std::{collections::HashMap, fmt, path::PathBuf};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// `{ env = "NAME" }` or `{ file = "path" }`.
#[derive(Clone, Debug, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SecretSource {
    /// Name of an environment variable.
    Env(String),
    /// Path of a file; one line break at its end is not part of the secret.
    File(PathBuf),
}

/// What the environment holds.
pub type Environment = HashMap<String, String>;

impl SecretSource {
    /// Fetches the secret.
    ///
    /// # Errors
    /// A sentence that says what is missing and what to do, without the key's name.
    pub fn read(&self, environment: &Environment) -> Result<SecretString, String> {
        let secret = match self {
            SecretSource::Env(name) => environment.get(name).cloned().ok_or_else(|| {
                format!("the environment variable {name} is not set: set it, or name another")
            })?,
            SecretSource::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    format!(
                        "the file {} cannot be read ({error}): create it or correct the path",
                        path.display()
                    )
                })?;
                text.strip_suffix('\n')
                    .map(|line| line.strip_suffix('\r').unwrap_or(line))
                    .unwrap_or(&text)
                    .to_owned()
            }
        };
        match secret.trim() {
            "" => Err(format!("{self} is empty: put the secret into it")),
            _ => Ok(SecretString::from(secret)),
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Env(name) => write!(f, "the environment variable {name}"),
            SecretSource::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOfTwo;

        impl<'de> Visitor<'de> for OneOfTwo {
            type Value = SecretSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("{ env = \"NAME\" } or { file = \"path\" }")
            }

            // The literal itself must not get into the message.
            fn visit_str<E: de::Error>(self, _: &str) -> Result<SecretSource, E> {
                Err(E::custom(
                    "a secret is never written here: use { env = \"NAME\" } or { file = \"path\" }",
                ))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretSource, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Ways {
                    env: Option<String>,
                    file: Option<PathBuf>,
                }
                match Ways::deserialize(MapAccessDeserializer::new(map))? {
                    Ways { env: Some(name), file: None } => Ok(SecretSource::Env(name)),
                    Ways { env: None, file: Some(path) } => Ok(SecretSource::File(path)),
                    _ => Err(de::Error::custom(
                        "says not one place where the secret is: write { env = \"NAME\" } or { file = \"path\" }",
                    )),
                }
            }
        }

        deserializer.deserialize_any(OneOfTwo)
    }
}
