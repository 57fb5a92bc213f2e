//! Worlds that change by themselves: at random, in crowds, and as the demo tells.

use jiff::SignedDuration;

use super::{FilterKind, Options, World};
use crate::simulators::{dice::Dice, script::Script};

/// How many broadcasts a world reaches by itself.
const BROADCASTS_MAX: usize = 300;

const LOGINS: [&str; 5] = ["soop", "aflol", "gamja", "bada", "x-"];

/// Titles as people write them; none may be taken for anything but text.
const TITLES: [&str; 10] = [
    "[생]꿀잼님의 SOOP 방송",
    "배그 스쿼드 🎮🔥 같이 해요",
    "<b>오늘의</b> 노래 & \"수다\" <script>alert(1)</script>",
    "공백이   많은 제목",
    "역슬래시 \\ 와 / 그리고 \u{200b}보이지 않는 글자",
    "👨‍👩‍👧‍👦 가족 방송 🇰🇷",
    "100% 실화 {\"result\":-1}",
    "첫 줄\n둘째 줄\t끝",
    "callback({\"broad\":[]});",
    "가나다라마바사아자차카타파하 0123456789",
];

impl World {
    /// A world with so many broadcasts on air.
    pub fn crowded(options: Options, broadcasts: usize) -> Self {
        let mut dice = Dice::new(options.seed ^ 0x5eed);
        let mut world = Self::new(options);
        for _ in 0..broadcasts {
            world.start_somebody(&mut dice);
        }
        world
    }

    /// One random change, which a client can notice as soon as it looks: nothing is hidden, no filter hits anything,
    /// no request is made.
    pub fn play(&mut self, dice: &mut Dice) {
        match dice.below(100) {
            0..30 if self.on_air.len() < BROADCASTS_MAX => self.start_somebody(dice),
            0..45 => {
                if let Some(no) = self.somebody(dice) {
                    self.end(no);
                }
            }
            45..60 => {
                let title = a_title(dice);
                if let Some(no) = self.somebody(dice) {
                    self.rename(no, &title);
                }
            }
            60..67 => {
                let category = self.some_category(dice);
                if let Some(no) = self.somebody(dice) {
                    self.change_category(no, &category);
                }
            }
            67..82 => {
                for _ in 0..dice.below(20) {
                    let viewers = dice.number() % 20_000;
                    if let Some(no) = self.somebody(dice) {
                        self.watch(no, viewers);
                    }
                }
            }
            82..87 => {
                if let Some(no) = self.somebody(dice) {
                    self.come_back(no);
                }
            }
            87..92 => {
                let which = dice.below(5);
                if let Some(no) = self.somebody(dice) {
                    self.edit(no, |broadcast| match which {
                        0 => broadcast.is_password = !broadcast.is_password,
                        1 => broadcast.grade = 19 - broadcast.grade,
                        2 => broadcast.is_visit_refused = !broadcast.is_visit_refused,
                        3 => broadcast.paid_promotion = Some(!broadcast.paid_promotion.unwrap_or(false)),
                        _ => broadcast.nick.push('!'),
                    });
                }
            }
            92..95 => self.play_categories(dice),
            95..97 => self.play_filters(dice),
            _ => self.play_accounts(dice),
        }
    }

    fn start_somebody(&mut self, dice: &mut Dice) {
        let title = a_title(dice);
        let category = self.some_category(dice);
        self.last_login += 1;
        let login = format!("{}{:04}", dice.pick(&LOGINS), self.last_login);
        let (viewers, rest) = (dice.number() % 20_000, dice.below(12));
        self.start_as(&login, &title, &category, |broadcast| {
            broadcast.viewers = viewers;
            broadcast.is_password = rest == 0;
            broadcast.grade = if rest == 1 { 19 } else { 0 };
            broadcast.is_visit_refused = rest == 2;
            // Every third answers without the field, as those of 2023 did.
            broadcast.paid_promotion = (rest % 3 != 0).then_some(rest == 4);
            broadcast.kbps = [8_000, 4_000, 2_000][rest % 3];
            broadcast.resolution = ["1920x1080", "1280x720"][rest % 2];
        });
    }

    fn play_categories(&mut self, dice: &mut Dice) {
        let no = self.some_category(dice);
        let parents: Vec<_> = self.categories.iter().map(|parent| parent.no.clone()).collect();
        let parent = parents.get(dice.below(parents.len() + 1));
        match dice.below(4) {
            0 => drop(self.add_category(parent.map(String::as_str), &a_title(dice))),
            1 => self.rename_category(&no, &a_title(dice)),
            2 => self.move_category(&no, parent.map(String::as_str)),
            // One at a time and never the last: much at once is not believed.
            _ => {
                let is_single = self.with_those_below(&no).len() == 1;
                if is_single && self.all_categories().count() > 4 {
                    self.remove_category(&no);
                }
            }
        }
    }

    fn play_filters(&mut self, dice: &mut Dice) {
        let kind = *dice.pick(&FilterKind::ALL);
        // Nobody has such a login, such a category or such a word in the title.
        let value = match kind {
            FilterKind::Streamer => format!("nobody{}", dice.below(5)),
            FilterKind::Category => format!("9999000{}", dice.below(5)),
            FilterKind::Keyword => format!("도박:{}", dice.below(5)),
        };
        match dice.below(3) {
            0 => self.remove_filter(kind, &value),
            _ => self.add_filter(kind, &value, &a_title(dice)),
        }
    }

    fn play_accounts(&mut self, dice: &mut Dice) {
        let title = a_title(dice);
        let logins: Vec<_> = self.options.accounts.iter().map(|account| account.login.clone()).collect();
        let Some(login) = logins.get(dice.below(logins.len())) else { return };
        let vods: Vec<u64> = self.vods.keys().copied().collect();
        let vod = vods.get(dice.below(vods.len())).copied().unwrap_or(0);
        match dice.below(8) {
            0 => self.edit_station(login, |station| station.name = title),
            1 => self.edit_station(login, |station| station.nick = title),
            2 => self.edit_station(login, |station| station.favorites += 1),
            3 => self.change_settings(login, |settings| settings.title = title),
            4 => self.change_settings(login, |settings| settings.is_password = !settings.is_password),
            5 => drop(self.reset_key(login)),
            6 => self.edit_vod(vod, |vod| vod.title = title),
            _ => {
                let is_on_air = self.broadcasts().any(|broadcast| broadcast.login == *login);
                if !is_on_air {
                    self.start(login, &title, "00130000");
                }
            }
        }
    }

    fn somebody(&self, dice: &mut Dice) -> Option<u64> {
        // Numbers run on, so somewhere in their range is quicker than counting.
        let (first, last) = (*self.on_air.keys().next()?, *self.on_air.keys().next_back()?);
        let from = first + dice.number() % (last - first + 1);
        self.on_air.range(from..).next().map(|(no, _)| *no)
    }

    fn some_category(&self, dice: &mut Dice) -> String {
        let place = dice.below(self.all_categories().count());
        self.all_categories()
            .nth(place)
            .map_or_else(|| "00130000".to_owned(), |(category, _)| category.no.clone())
    }

    /// The world of the demo: two broadcasts start, one is renamed, one ends, within 10 seconds.
    pub fn demo() -> Self {
        let mut world = Self::new(Options { varies: false, ..Options::default() });
        world.script = Script::beginning_at_first_look();
        world.after(SignedDuration::ZERO, |world| {
            world.start("gamja", "[생]감자의 아침 방송", "00130000");
            world.start("aflol", "LCK 다시보기", "00040019");
        });
        world.after(SignedDuration::from_secs(3), |world| {
            let no = world.start("bada", "배그 스쿼드 🎮", "00040066");
            world.after(SignedDuration::from_secs(3), move |world| world.rename(no, "배그 결승전 🔥"));
        });
        world.after(SignedDuration::from_secs(4), |world| {
            let no = world.start("soop1234", "꿀잼님의 SOOP 방송", "00130000");
            world.after(SignedDuration::from_secs(6), move |world| world.end(no));
        });
        world
    }
}

fn a_title(dice: &mut Dice) -> String {
    format!("{} {}", dice.pick(&TITLES), dice.below(10_000))
}
