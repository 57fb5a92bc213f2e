//! What happens in the demo, beat by beat.

use super::worlds::{PROGRAM, STREAMER, Worlds, lock};

/// Something that happens at a platform.
pub(super) enum Beat {
    /// A simulated world changes; what it pushes and shows is its own matter.
    World(&'static str, fn(&Worlds)),
    /// A documented sample is delivered: account, callback, sample.
    Sample(&'static str, &'static str, &'static str),
}

use Beat::{Sample, World};

/// The story. Each broadcast goes through its life once; `--follow` tells it again.
pub(super) const STORY: [Beat; 19] = [
    World("Kollus: a broadcast starts; its callback and the API both tell", |worlds| {
        let channel = worlds.channel.clone();
        lock(&worlds.kollus).start(&channel, "Morning show");
    }),
    World("SOOP: a streamer goes live; there is no callback", |worlds| {
        lock(&worlds.soop).start(STREAMER, "[생]감자의 아침 방송", "00130000");
    }),
    World("livedigital: people meet in a room", |worlds| {
        lock(&worlds.livedigital).start_call(&worlds.room);
    }),
    World("OpenFRESH: a program goes live", |worlds| lock(&worlds.openfresh).start_program(PROGRAM)),
    Sample("acme", "vod-upload", "upload"),
    World("OpenFRESH: a viewer writes", |worlds| {
        lock(&worlds.openfresh).comment(PROGRAM, "こんにちはこんにちは @フレッシュ");
    }),
    World("SOOP: the streamer changes the title; only the API tells", |worlds| {
        let mut world = lock(&worlds.soop);
        if let Some(no) = live_on_soop(&world) {
            world.rename(no, "감자 요리 🔥");
        }
    }),
    Sample("acme", "vod-transcoding", "success"),
    Sample("acme", "vod-channel-join", "join"),
    World("Kollus: the broadcast is interrupted", |worlds| _ = lock(&worlds.kollus).pause(&worlds.channel)),
    World("OpenFRESH: another viewer writes", |worlds| {
        lock(&worlds.openfresh).comment(PROGRAM, "888888 👏👏");
    }),
    World("Kollus: it goes on", |worlds| _ = lock(&worlds.kollus).resume(&worlds.channel)),
    Sample("acme", "vod-progress", "with-json"),
    World("SOOP: the streamer stops; two lists without the broadcast end it", |worlds| {
        let mut world = lock(&worlds.soop);
        if let Some(no) = live_on_soop(&world) {
            world.end(no);
        }
    }),
    World("livedigital: the last one leaves the room", |worlds| {
        lock(&worlds.livedigital).finish_call(&worlds.room, 12, 9);
    }),
    World("OpenFRESH: the program is over", |worlds| lock(&worlds.openfresh).end_program(PROGRAM)),
    World("Kollus: the broadcast ends, and its recording is transferred", |worlds| {
        let mut world = lock(&worlds.kollus);
        let broadcast = world.live_broadcast(&worlds.channel).map(str::to_owned);
        world.stop(&worlds.channel);
        if let Some(broadcast) = broadcast {
            world.transfer_recording(&broadcast, true);
        }
    }),
    Sample("acme", "bookmark", "bookmark"),
    Sample("acme", "live-state", "empty-broadcast-key"),
];

fn live_on_soop(world: &crate::simulators::soop::World) -> Option<u64> {
    world.listed().find(|broadcast| broadcast.login == STREAMER).map(|broadcast| broadcast.no)
}
