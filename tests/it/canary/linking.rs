//! What happens while accounts are connected: consents, forged ones too, logins, renewals that go well and badly, a
//! vault whose key is wrong.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use livehook::{
    ports::{Clock as _, SystemClock},
    simulators::{Simulator, kollus, livedigital, openfresh, serve, soop},
};
use serde_json::Value;

use super::{
    search::Haystack,
    story::{Secret, Secrets},
    tap::Tap,
};
use crate::{
    oauth::browser::{Browser, Page},
    support::program::{PATIENCE, PUBLIC_HOST, Program, client},
};

/// The secrets, and everything that was written, answered, published or printed.
pub struct Linking {
    pub secrets: Vec<Secret>,
    pub haystack: Haystack,
    pub database: Haystack,
    program: Program,
}

struct Place<W> {
    world: Arc<Mutex<Tap<W>>>,
    server: serve::Server,
}

impl<W: Simulator + 'static> Place<W> {
    async fn open(world: W) -> Self {
        let world = Arc::new(Mutex::new(Tap::new(world)));
        let server = serve::serve(Arc::clone(&world), 0, || SystemClock.now()).await.unwrap();
        Self { world, server }
    }

    fn world(&self) -> MutexGuard<'_, Tap<W>> {
        self.world.lock().unwrap()
    }

    /// All access tokens are too old from now on.
    fn expire(&self) {
        self.world().grants_mut().expire_access(None, SystemClock.now());
    }
}

struct Worlds {
    kollus: Place<kollus::World>,
    soop: Place<soop::World>,
    livedigital: Place<livedigital::World>,
    openfresh: Place<openfresh::World>,
}

impl Worlds {
    async fn open(environment: &[(&'static str, String)]) -> Self {
        let secret = |name: &str| environment.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        let begins_at = SystemClock.now();
        let mut kollus = kollus::World::new(kollus::Options {
            client_secret: secret("ACME_SECRET"),
            begins_at,
            ..kollus::Options::default()
        });
        kollus.add_channel("Main hall");
        let soop = soop::World::new(soop::Options {
            client_secret: secret("GAMES_SECRET"),
            accounts: vec![soop::Account::new("soop1234", "")],
            begins_at,
            ..soop::Options::default()
        });
        let mut livedigital = livedigital::World::new(livedigital::Options {
            client_secret: secret("TALKS_SECRET"),
            password: secret("TALKS_PASSWORD"),
            begins_at,
            ..livedigital::Options::default()
        });
        livedigital.advance(begins_at);
        livedigital.add_space("Team");
        let openfresh = openfresh::World::new(openfresh::Options {
            password: secret("FRESH_PASSWORD"),
            begins_at,
            ..openfresh::Options::default()
        });
        Self {
            kollus: Place::open(kollus).await,
            soop: Place::open(soop).await,
            livedigital: Place::open(livedigital).await,
            openfresh: Place::open(openfresh).await,
        }
    }

    fn sections(&self) -> String {
        let kollus = kollus::Options::default();
        let (soop, livedigital) = (soop::Options::default(), livedigital::Options::default());
        let urls = [
            self.kollus.server.url(),
            self.soop.server.url(),
            self.livedigital.server.url(),
            self.openfresh.server.url(),
        ];
        let [at_kollus, at_soop, at_livedigital, at_openfresh] = urls;
        format!(
            "[log]\nfilter = \"debug\"\n[vault]\nkey = {{ env = \"VAULT\" }}\nold_keys = [{{ env = \"OLD_VAULT\" }}]\n\
             [accounts.acme]\nplatform = \"kollus\"\nclient_id = {:?}\nclient_secret = {{ env = \"ACME_SECRET\" }}\n\
             base_url = \"{at_kollus}/api/v1/live/service-accounts\"\nauth_url = \"{at_kollus}\"\n\
             allow_unknown_hosts = true\npoll.channels = {{ every = \"2s\" }}\n\
             [accounts.games]\nplatform = \"soop\"\nservice_account = \"soop1234\"\nclient_id = {:?}\n\
             client_secret = {{ env = \"GAMES_SECRET\" }}\nbase_url = \"{at_soop}\"\nallow_unknown_hosts = true\n\
             poll.station = {{ every = \"2s\" }}\n\
             [accounts.talks]\nplatform = \"livedigital\"\nclient_id = {:?}\nclient_secret = {{ env = \"TALKS_SECRET\" }}\n\
             username = {:?}\npassword = {{ env = \"TALKS_PASSWORD\" }}\nbase_url = \"{at_livedigital}\"\n\
             allow_unknown_hosts = true\npoll.spaces = {{ every = \"2s\" }}\n\
             [accounts.fresh]\nplatform = \"openfresh\"\nusername = {:?}\npassword = {{ env = \"FRESH_PASSWORD\" }}\n\
             base_url = \"{at_openfresh}\"\nallow_unknown_hosts = true\n\
             poll.comments = {{ every = \"2s\", programs = [\"1\"] }}\n",
            kollus.client_id,
            soop.client_id,
            livedigital.client_id,
            livedigital.username,
            openfresh::Options::default().username,
        )
    }

    /// Everything that went over the wires.
    fn seen(&self) -> Vec<(String, &'static str)> {
        let mut seen = self.kollus.world().seen.clone();
        seen.extend(self.soop.world().seen.clone());
        seen.extend(self.livedigital.world().seen.clone());
        seen.extend(self.openfresh.world().seen.clone());
        seen.into_iter().collect()
    }
}

impl Linking {
    /// Tells it from the beginning to the end.
    pub async fn told() -> Self {
        let mut secrets = Secrets::default();
        let environment = [
            ("VAULT", secrets.hexadecimal("the key of the vault")),
            ("OLD_VAULT", secrets.hexadecimal("an older key of the vault")),
            ("ACME_SECRET", secrets.elsewhere("the secret of an application at Kollus")),
            ("GAMES_SECRET", secrets.elsewhere("the secret of an application at SOOP")),
            ("TALKS_SECRET", secrets.elsewhere("the secret of an application at livedigital")),
            ("TALKS_PASSWORD", secrets.elsewhere("the password of a user at livedigital")),
            ("FRESH_PASSWORD", secrets.elsewhere("the password of a user at OpenFRESH")),
        ];
        let worlds = Worlds::open(&environment).await;
        let variables = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
        let program = Program::new(&worlds.sections(), &variables);
        let (haystack, database) = (Haystack::default(), Haystack::default());
        let mut story = Self { secrets: Vec::new(), haystack, database, program };

        let running = story.program.run().await;
        story
            .until("who needs no person is connected", |it| {
                it["talks"] == "connected" && it["fresh"] == "connected"
            })
            .await;
        story.forged(&mut secrets).await;
        for (account, who) in [("acme", "operator@acme.example"), ("games", "soop1234")] {
            story.denied(account, who, &mut secrets).await;
            story.connected(account, who, &mut secrets).await;
        }
        story.until("all are connected", |it| it.values().all(|state| state == "connected")).await;
        story.renewed(&worlds).await;
        story.look().await;
        story.haystack.add("log", &running.log());
        assert!(running.ended_by("TERM").await.success());

        story.with_another_key(&mut secrets).await;
        for file in ["livehook.sqlite", "livehook.sqlite-wal"] {
            let bytes = fs::read(story.program.home.path().join("data").join(file)).unwrap_or_default();
            story.database.add("database", &String::from_utf8_lossy(&bytes));
        }
        for (value, name) in worlds.seen() {
            if !secrets.0.iter().any(|secret| secret.value == value) {
                secrets.list(name, &value);
            }
        }
        story.secrets = secrets.0;
        story
    }

    /// How the access of each account stands.
    async fn states(&self) -> BTreeMap<String, String> {
        let answer: Value = serde_json::from_str(&self.program.ask("/api/v1/credentials").await).unwrap();
        let all = answer["credentials"].as_array().unwrap().iter();
        all.map(|it| (it["account"].as_str().unwrap().to_owned(), it["state"].as_str().unwrap().to_owned()))
            .collect()
    }

    async fn until(&self, what: &str, is_so: impl Fn(&BTreeMap<String, String>) -> bool) {
        let began = Instant::now();
        loop {
            let states = self.states().await;
            if is_so(&states) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: not so: {states:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A browser with the cookie, and where it is sent.
    async fn sent(&self, account: &str, secrets: &mut Secrets) -> (Browser, String) {
        let begun = client().post(self.admin(&format!("/api/v1/credentials/{account}/connect")));
        let begun: Value = serde_json::from_str(&begun.send().await.unwrap().text().await.unwrap()).unwrap();
        let url = begun["url"].as_str().unwrap();
        secrets.list("a ticket", url.split_once("ticket=").unwrap().1);
        let mut browser = Browser::new();
        let sent = browser.get(&self.local(url)).await;
        secrets.list("the cookie of a consent", browser.cookies.values().next().unwrap());
        (browser, sent.location().to_owned())
    }

    /// Redirects that nobody sent, with codes that nobody gave.
    async fn forged(&mut self, secrets: &mut Secrets) {
        let (mut browser, _) = self.sent("acme", secrets).await;
        let (code, oauth_state) = (secrets.elsewhere("a forged code"), secrets.elsewhere("a forged state"));
        for query in [
            format!("code={code}&state={oauth_state}"),
            format!("code={code}&code={code}&state={oauth_state}"),
            format!("code={code}"),
            format!("error={code}&error_description={code}&state={oauth_state}"),
            format!("code={}&state={oauth_state}", code.repeat(500)),
        ] {
            for mut browser in [Browser::new(), std::mem::replace(&mut browser, Browser::new())] {
                let page = browser.get(&self.local(&format!("/oauth/acme/callback?{query}"))).await;
                self.hear(&page);
                if page.status == 303 {
                    let result = browser.get(&self.local(page.location())).await;
                    self.hear(&result);
                }
            }
        }
        let guess = secrets.elsewhere("a ticket that nobody was given");
        let page = Browser::new().get(&self.local(&format!("/oauth/acme/begin?ticket={guess}"))).await;
        self.hear(&page);
    }

    async fn denied(&mut self, account: &str, who: &str, secrets: &mut Secrets) {
        let (mut browser, url) = self.sent(account, secrets).await;
        let back = browser.decide(&url, who, false).await;
        let page = browser.get(&self.local(&back)).await;
        self.hear(&page);
        let result = browser.get(&self.local(page.location())).await;
        self.hear(&result);
        assert!(result.text.contains("Not connected"), "{result:?}");
    }

    async fn connected(&mut self, account: &str, who: &str, secrets: &mut Secrets) {
        let (mut browser, url) = self.sent(account, secrets).await;
        let back = browser.decide(&url, who, true).await;
        let page = browser.get(&self.local(&back)).await;
        self.hear(&page);
        let asked = browser.get(&self.local(page.location())).await;
        let form_key = asked.field("form_key");
        self.haystack.add("answers", &asked.text.replace(&form_key, ""));
        let confirm = self.local(&format!("/oauth/{account}/confirm"));
        let done = browser.post(&confirm, &[("form_key", &form_key), ("answer", "yes")]).await;
        self.hear(&done);
        let done = browser.get(&self.local(done.location())).await;
        self.hear(&done);
        assert!(done.text.contains("Connected"), "{done:?}");
        let repeated = browser.get(&self.local(&back)).await;
        self.hear(&repeated);
    }

    /// Tokens are renewed, by servers that send back what they were asked, and then well.
    async fn renewed(&mut self, worlds: &Worlds) {
        worlds.kollus.world().echoes.extend([200, 400]);
        worlds.soop.world().echoes.extend([500]);
        worlds.livedigital.world().echoes.extend([400, 400]);
        worlds.kollus.expire();
        worlds.soop.expire();
        worlds.livedigital.expire();
        let is_troubled =
            |it: &BTreeMap<String, String>| it.values().filter(|state| *state != "connected").count() >= 2;
        self.until("renewals fail", is_troubled).await;
        self.look().await;
        self.until("SOOP is renewed", |it| it["games"] == "connected").await;
        self.until("Kollus asks for a person", |it| it["acme"] == "failing" || it["acme"] == "lost").await;
        self.look().await;
    }

    /// All that operators can look at.
    async fn look(&mut self) {
        for (part, target) in [
            ("events", "/api/v1/events?limit=1000"),
            ("metrics", "/metrics"),
            ("readiness", "/readyz"),
            ("watches", "/api/v1/watches"),
            ("credentials", "/api/v1/credentials"),
            ("pages", "/connect"),
        ] {
            let answer = self.program.ask(target).await;
            self.haystack.add(part, &answer);
        }
        for arguments in [&["connect"][..], &["connect", "--json"], &["check"], &["watch"]] {
            let printed = self.program.print(arguments).await;
            self.haystack.add("commands", &format!("{} {printed:?}", arguments.join(" ")));
        }
    }

    async fn with_another_key(&mut self, secrets: &mut Secrets) {
        let other = secrets.hexadecimal("a key that opens nothing");
        self.program.environment.insert("VAULT".to_owned(), other.clone());
        fs::remove_file(self.program.home.path().join("log")).unwrap();
        let running = self.program.run().await;
        self.until("what is sealed stays so", |it| it["games"] == "lost").await;
        self.look().await;
        self.haystack.add("log with another key", &running.log());
        assert!(running.ended_by("TERM").await.success());
        self.program.environment.insert("VAULT".to_owned(), other[..40].to_owned());
        let printed = self.program.print(&["check", "--offline"]).await;
        self.haystack.add("commands", &format!("{printed:?}"));
    }

    fn hear(&mut self, page: &Page) {
        // What a browser is sent to, and the cookie that it is given, are between the two.
        let headers = page.headers.iter().filter(|(name, _)| *name != "set-cookie");
        let headers = headers.map(|(name, value)| format!("{name}: {value}\n")).collect::<String>();
        self.haystack.add("answers", &format!("{} {headers}{}", page.status, page.text));
    }

    fn admin(&self, target: &str) -> String {
        format!("http://{}{target}", self.program.admin)
    }

    /// Where this machine finds what browsers know under a public name.
    fn local(&self, url: &str) -> String {
        let path = url.strip_prefix(&format!("https://{PUBLIC_HOST}")).unwrap_or(url);
        format!("http://{}{path}", self.program.public)
    }
}
