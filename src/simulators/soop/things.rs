//! What there is in a world: the truth, before any answer distorts it.

use jiff::{SignedDuration, Timestamp};

/// A broadcast on air.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broadcast {
    /// A new one for every broadcast.
    pub no: u64,
    /// Who broadcasts: the login, which stays.
    pub login: String,
    /// Who broadcasts, as viewers see the name.
    pub nick: String,
    /// As viewers see it; any text.
    pub title: String,
    /// Number of its category: 8 digits.
    pub category: String,
    /// When it went on air.
    pub started_at: Timestamp,
    /// 0 or 19.
    pub grade: u8,
    /// Whether viewers need a password.
    pub is_password: bool,
    /// Whether others are asked not to show it.
    pub is_visit_refused: bool,
    /// Whether it contains paid promotion; `None`: its answers lack the field.
    pub paid_promotion: Option<bool>,
    /// Bit rate of the video.
    pub kbps: u32,
    /// Size of the picture.
    pub resolution: &'static str,
    /// How many watch now.
    pub viewers: u64,
    /// The streamer keeps it out of the list.
    pub is_hidden: bool,
}

impl Broadcast {
    /// Whether a client that ignores what only moves would see a difference.
    pub(super) fn differs_from(&self, other: &Self) -> bool {
        let what_counts = |broadcast: &Self| Self { viewers: 0, is_hidden: false, ..broadcast.clone() };
        what_counts(self) != what_counts(other)
    }
}

/// A category with what is below it; there are two levels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Category {
    /// 8 digits.
    pub no: String,
    /// In Korean.
    pub name: String,
    /// Those below it.
    pub children: Vec<Category>,
}

impl Category {
    /// One without others below it.
    pub fn leaf(no: impl Into<String>, name: impl Into<String>) -> Self {
        Self { no: no.into(), name: name.into(), children: Vec::new() }
    }
}

/// What a filter list takes out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FilterKind {
    /// Everything of a login.
    Streamer,
    /// Everything in a category, and in those below it.
    Category,
    /// Everything with this word in its title.
    Keyword,
}

impl FilterKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Streamer, Self::Category, Self::Keyword];

    /// As it stands in the path.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Streamer => "streamer",
            Self::Category => "category",
            Self::Keyword => "keyword",
        }
    }

    /// The field that holds the value.
    pub(super) const fn field(self) -> &'static str {
        match self {
            Self::Streamer => "black_id",
            Self::Category => "cate_no",
            Self::Keyword => "keyword",
        }
    }
}

/// An entry of a filter list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// What it takes out.
    pub kind: FilterKind,
    /// A login, a category number of 8 digits, a word.
    pub value: String,
    /// Why; any text.
    pub reason: String,
    /// Entered by the platform, not by this client.
    pub is_of_platform: bool,
    /// The name of the category, if it is one.
    pub category_name: Option<String>,
}

/// A streamer who has linked an account: a token, a station, settings, a stream key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// The login.
    pub login: String,
    /// What the journal calls the station, the settings and the stream key. No answer about them says the login, so
    /// a client may call them by a name of its own; say it here. The login if you do not.
    pub id: String,
    /// What is accepted as `access_token`, beside what the authorisation server issued; nothing if empty.
    pub access_token: String,
    /// The token is too old.
    pub is_token_expired: bool,
    /// The station.
    pub station: Station,
    /// How the next broadcast is set up.
    pub settings: StreamSettings,
    /// Where video is sent to.
    pub ingest_url: String,
    /// The password for it.
    pub stream_key: String,
}

impl Account {
    /// An account with everything as it is when nothing was changed yet.
    pub fn new(login: &str, access_token: &str) -> Self {
        Self {
            login: login.to_owned(),
            id: login.to_owned(),
            access_token: access_token.to_owned(),
            is_token_expired: false,
            station: Station {
                nick: format!("{login}님"),
                name: format!("{login}의 방송국"),
                picture: format!("{login}.jpg"),
                last_broadcast_at: None,
                favorites: 100,
            },
            settings: StreamSettings::default(),
            ingest_url: "rtmp://stream.sooplive.co.kr/app/".to_owned(),
            stream_key: format!("afid-{login}-1"),
        }
    }
}

/// A streamer's station.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Station {
    /// Who broadcasts, as viewers see the name.
    pub nick: String,
    /// What the station is called.
    pub name: String,
    /// File name of the picture.
    pub picture: String,
    /// When the last broadcast began; told without seconds.
    pub last_broadcast_at: Option<Timestamp>,
    /// How many have it among their favourites.
    pub favorites: u64,
}

impl Station {
    /// Whether a client that ignores what only moves would see a difference.
    pub(super) fn differs_from(&self, other: &Self) -> bool {
        let what_counts = |station: &Self| {
            let told = station.last_broadcast_at.map(|at| korean_time(at, MINUTES));
            (told, Self { favorites: 0, last_broadcast_at: None, ..station.clone() })
        };
        what_counts(self) != what_counts(other)
    }
}

/// How a streamer has set up the next broadcast.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamSettings {
    /// Any text of at most 75 characters.
    pub title: String,
    /// 8 digits.
    pub category: String,
    /// How many may watch.
    pub allowed_view_cnt: u32,
    /// Whether viewers need a password.
    pub is_password: bool,
    /// Whether it is kept out of the list.
    pub is_hidden: bool,
    /// 0 or 19.
    pub grade: u8,
    /// Separated by comma and space.
    pub hashtags: String,
    /// Shown at the end.
    pub ending_message: String,
    /// Whether there is a waiting room.
    pub has_waiting_room: bool,
    /// 1 to 10.
    pub waiting_minutes: u32,
    /// 1 to 6.
    pub watermark: u8,
    /// Whether others are asked not to show it.
    pub is_tune_out: bool,
    /// Whether it contains paid promotion.
    pub is_paid_promotion: bool,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self {
            title: "꿀잼님의 SOOP 방송".to_owned(),
            category: "00040066".to_owned(),
            allowed_view_cnt: 100_000,
            is_password: false,
            is_hidden: false,
            grade: 0,
            hashtags: "게임, 배그".to_owned(),
            ending_message: "다음에 또 만나요~!".to_owned(),
            has_waiting_room: false,
            waiting_minutes: 10,
            watermark: 1,
            is_tune_out: true,
            is_paid_promotion: false,
        }
    }
}

/// A recorded video.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vod {
    /// Its number.
    pub id: u64,
    /// Any text.
    pub title: String,
    /// Who published it.
    pub author: String,
    /// The login of the same.
    pub author_login: String,
}

/// Pattern of times with seconds.
pub(super) const SECONDS: &str = "%Y-%m-%d %H:%M:%S";
/// Pattern of times without.
pub(super) const MINUTES: &str = "%Y-%m-%d %H:%M";

/// A time by the wall clock in Seoul, without a word about the zone.
pub(super) fn korean_time(at: Timestamp, pattern: &str) -> String {
    at.checked_add(SignedDuration::from_hours(9)).unwrap_or(at).strftime(pattern).to_string()
}

/// A category number as it stands in lists.
pub(super) fn padded(no: &str) -> String {
    format!("{no:0>8}")
}
