use serde_json::{Value, json};

use super::*;

mod answers;
mod moving;
mod tokens;

fn request(path: &str, query: &[(&str, &str)]) -> Request {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Request {
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: query.iter().map(own).collect(),
        headers: vec![own(&("authorization", "Bearer example-livedigital-personal"))],
        body: Vec::new(),
    }
}

fn later(world: &World, seconds: i64) -> Timestamp {
    world.now + SignedDuration::from_secs(seconds)
}

/// Asks two seconds after whatever was last.
fn ask(world: &mut World, path: &str, query: &[(&str, &str)]) -> Response {
    let now = later(world, 2);
    world.answer(&request(path, query), now)
}

fn read(world: &mut World, path: &str, query: &[(&str, &str)]) -> Value {
    let response = ask(world, path, query);
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    serde_json::from_slice(&response.body).unwrap()
}

fn ids(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// A world with one space with a webhook, and its id.
fn world_with(rooms: usize, options: Options) -> (World, String) {
    let mut world = World::new(options);
    let space = world.add_space("Some test space");
    world.set_webhook(&space, Some("https://hooks.example/livedigital"), true);
    for number in 0..rooms {
        world.add_room(&space, &format!("Room {number}")).unwrap();
    }
    (world, space)
}
