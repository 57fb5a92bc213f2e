//! A platform under load: unique callbacks at a given rate, and the log of what was answered.
//!
//! Each connection plays one broadcast after another, `start`, `pause`, `resume`, `stop`, and sends a step
//! only after the one before was answered 200, so the order in which each broadcast must appear is known.
//! The log is in this process's memory, outside of everything that the tests break.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// The host under which platforms know the public listener.
pub const PUBLIC_HOST: &str = "hooks.example.com";

/// A step in a broadcast's life, in the order in which it is sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Step {
    Start,
    Pause,
    Resume,
    Stop,
}

impl Step {
    pub const ALL: [Self; 4] = [Self::Start, Self::Pause, Self::Resume, Self::Stop];

    /// The platform's word for it.
    pub fn as_kollus(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop => "stop",
        }
    }
}

/// What one callback says: this broadcast took this step. Each is sent at most once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Fact {
    pub broadcast: String,
    pub step: Step,
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// 200, read completely.
    Answered,
    /// Any other status.
    Refused(u16),
    /// The connection ended first: it may have been committed or not.
    Unanswered,
}

/// When a request left, and how long its answer took.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    #[allow(dead_code, reason = "the bench reads it")]
    pub sent_at: Instant,
    pub took: Duration,
}

/// Every request that left, with its fate and its timing.
#[derive(Default, Debug)]
pub struct Log {
    pub fates: HashMap<Fact, Fate>,
    pub timings: HashMap<Fact, Timing>,
}

impl Log {
    /// How many requests had this fate.
    pub fn count(&self, is_it: impl Fn(Fate) -> bool) -> usize {
        self.fates.values().filter(|fate| is_it(**fate)).count()
    }

    /// How many were answered 200.
    pub fn answered(&self) -> usize {
        self.count(|fate| fate == Fate::Answered)
    }

    /// How many a platform would have to send again.
    pub fn not_answered(&self) -> usize {
        self.fates.len() - self.answered()
    }

    /// Adds the log of another load.
    pub fn extend(&mut self, other: Self) {
        self.fates.extend(other.fates);
        self.timings.extend(other.timings);
    }
}

/// Whom to call, and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The public listener.
    pub address: SocketAddr,
    /// The path of the callback.
    pub path: String,
    /// What is sent there.
    pub body: fn(&Fact) -> String,
    /// Requests per second over all connections; `None` for as fast as answers come.
    pub rate: Option<u32>,
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// Ends by itself after so many requests; `None` for until it is told.
    pub requests: Option<u64>,
    /// Makes the broadcasts of this load different from those of others.
    pub label: String,
}

/// A load that is running.
pub struct Load {
    shared: Arc<Shared>,
    connections: JoinSet<()>,
}

struct Shared {
    plan: Plan,
    stop: CancellationToken,
    log: Mutex<Log>,
    began: Instant,
    slots: AtomicU64,
    answered: AtomicUsize,
}

impl Load {
    /// Begins to send.
    pub fn start(plan: Plan) -> Self {
        let shared = Arc::new(Shared {
            plan,
            stop: CancellationToken::new(),
            log: Mutex::default(),
            began: Instant::now(),
            slots: AtomicU64::new(0),
            answered: AtomicUsize::new(0),
        });
        let mut connections = JoinSet::new();
        for number in 0..shared.plan.connections {
            connections.spawn(Caller { shared: Arc::clone(&shared), number, socket: None }.run());
        }
        Self { shared, connections }
    }

    /// How many requests were answered 200 so far.
    pub fn answered(&self) -> usize {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// How many requests had this fate so far.
    pub fn count(&self, is_it: impl Fn(Fate) -> bool) -> usize {
        self.shared.log.lock().expect("no caller panics").count(is_it)
    }

    /// Waits until so many were answered 200.
    pub async fn reach(&self, answered: usize) {
        while self.answered() < answered && !self.shared.stop.is_cancelled() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends nothing new, waits for the answers that are due, and returns the log.
    pub async fn stop(self) -> Log {
        self.shared.stop.cancel();
        self.finish().await
    }

    /// Waits until all requests of the plan were sent, and returns the log.
    pub async fn finish(mut self) -> Log {
        while let Some(ended) = self.connections.join_next().await {
            ended.expect("no caller panics");
        }
        std::mem::take(&mut *self.shared.log.lock().expect("no caller panics"))
    }
}

/// One connection of the platform.
struct Caller {
    shared: Arc<Shared>,
    number: usize,
    socket: Option<BufReader<TcpStream>>,
}

impl Caller {
    async fn run(mut self) {
        for round in 0.. {
            let broadcast = format!("{}-{}-{round}", self.shared.plan.label, self.number);
            for step in Step::ALL {
                if !self.take_slot().await || !self.connect().await {
                    return;
                }
                let fact = Fact { broadcast: broadcast.clone(), step };
                let sent_at = Instant::now();
                let fate = match self.send(&fact).await {
                    Ok(200) => Fate::Answered,
                    Ok(status) => Fate::Refused(status),
                    Err(_) => Fate::Unanswered,
                };
                self.note(fact, fate, sent_at);
                match fate {
                    Fate::Answered => _ = self.shared.answered.fetch_add(1, Ordering::Relaxed),
                    Fate::Refused(status) => {
                        // It was told to come again later, which no client takes for "at once".
                        if status == 503 {
                            self.rest().await;
                        }
                        break;
                    }
                    Fate::Unanswered => {
                        self.socket = None;
                        break;
                    }
                }
            }
        }
    }

    fn note(&self, fact: Fact, fate: Fate, sent_at: Instant) {
        let mut log = self.shared.log.lock().expect("no caller panics");
        log.fates.insert(fact.clone(), fate);
        log.timings.insert(fact, Timing { sent_at, took: sent_at.elapsed() });
    }

    async fn rest(&self) {
        let second = tokio::time::sleep(Duration::from_secs(1));
        tokio::select! {
            () = second => {}
            () = self.shared.stop.cancelled() => {}
        }
    }

    /// Waits for the moment of the next request; `false` when there is none.
    async fn take_slot(&self) -> bool {
        let Shared { plan, stop, began, slots, .. } = &*self.shared;
        let slot = slots.fetch_add(1, Ordering::Relaxed);
        if stop.is_cancelled() || plan.requests.is_some_and(|requests| slot >= requests) {
            return false;
        }
        let Some(rate) = plan.rate else { return true };
        let due = *began + Duration::from_micros(slot * 1_000_000 / u64::from(rate));
        tokio::select! {
            () = tokio::time::sleep_until(due) => true,
            () = stop.cancelled() => false,
        }
    }

    /// Makes sure of a connection, as long as it takes; `false` when told to stop meanwhile.
    async fn connect(&mut self) -> bool {
        // A connection that was closed while it was idle is no loss of a request: every client looks first.
        let is_open = |socket: &BufReader<TcpStream>| matches!(socket.get_ref().try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        self.socket = self.socket.take().filter(is_open);
        while self.socket.is_none() {
            if self.shared.stop.is_cancelled() {
                return false;
            }
            match TcpStream::connect(self.shared.plan.address).await {
                Ok(socket) => self.socket = Some(BufReader::new(socket)),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        true
    }

    async fn send(&mut self, fact: &Fact) -> io::Result<u16> {
        let Plan { path, body, .. } = &self.shared.plan;
        let body = body(fact);
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {PUBLIC_HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let socket = self.socket.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        socket.write_all(request.as_bytes()).await?;
        let answer = read_answer(socket).await?;
        if answer.closes {
            self.socket = None;
        }
        Ok(answer.status)
    }
}

/// The callback as the platform sends it.
pub fn live_state_body(fact: &Fact) -> String {
    format!(
        "version=2018-11-01&service_account_key=acme&channel_key=k7q2m9x4b1z8t5ra&stream_key=p3v9c6hd\
         &broadcast_key={}&broadcast_state={}",
        fact.broadcast,
        fact.step.as_kollus()
    )
}

/// A player that asks whether a viewer may see a video; each step is a viewer of its own.
pub fn play_body(fact: &Fact) -> String {
    format!(
        "kind=1&client_user_id={}-{}&player_id=8A1F00C2D4E6B7901122334455667788&hardware_id=\
         &device_name=iPhone15%2C3&media_content_key=vnCVPyVx",
        fact.broadcast,
        fact.step.as_kollus()
    )
}

struct Answer {
    status: u16,
    closes: bool,
}

async fn read_answer(socket: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let mut answer = Answer { status: 0, closes: false };
    let mut body_bytes = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if socket.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        } else if let Some(length) = header.strip_prefix("content-length:") {
            body_bytes = length.trim().parse().map_err(io::Error::other)?;
        } else if header == "connection: close" {
            answer.closes = true;
        } else if answer.status == 0 {
            let status = header.split(' ').nth(1).unwrap_or_default();
            answer.status = status.parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; body_bytes];
    socket.read_exact(&mut body).await?;
    Ok(answer)
}
