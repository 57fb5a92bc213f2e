// Decides whether viewers may play and store videos. Change `decide`, and it is your decision service.
//
//     npm install
//     NATS_URL=nats://127.0.0.1:4222 npm start
//
// Run as many of these as you like: each question goes to one of them. What a question holds and what a reply may say is
// in schemas/questions/. If no reply comes in time, the account's `on_no_answer` decides.

import { connect, JSONCodec } from "nats";

interface Question {
  account: string;
  question: "play" | "live-play" | "download" | "next-episode";
  client_user_id?: string;
  media_content_key?: string;
  stage?: "begin" | "ready";
  action?: "download" | "completed" | "play";
}

interface Reply {
  result: "allow" | "deny";
  message?: string;
  expires_at?: number;
  count_limit?: number;
  content_key?: string;
}

const blocked = new Set(["user-13"]);
const nextVideo = new Map([["vnCVPyVx", "Qm4TzW1k"]]);

function decide(asked: Question): Reply {
  const now = Math.floor(Date.now() / 1000);
  if (blocked.has(asked.client_user_id ?? "")) {
    return { result: "deny", message: "Your subscription has ended." };
  }
  if (asked.question === "next-episode") {
    const content_key = nextVideo.get(asked.media_content_key ?? "");
    return content_key ? { result: "allow", content_key } : { result: "deny" };
  }
  if (asked.action === "download") {
    return { result: "allow", expires_at: now + 7 * 24 * 3600, count_limit: 10 };
  }
  // A player begins to play, is ready to play, has stored a video, or plays a stored one.
  const begins = asked.stage === "begin" || asked.question === "live-play";
  return begins ? { result: "allow", expires_at: now + 3600 } : { result: "allow" };
}

const json = JSONCodec();
const bus = await connect({ servers: process.env.NATS_URL ?? "nats://127.0.0.1:4222", maxReconnectAttempts: -1 });
const questions = bus.subscribe("ask.kollus.>", { queue: "decide" });
await bus.flush();
console.log("deciding");
for await (const message of questions) {
  const asked = json.decode(message.data) as Question;
  const reply = decide(asked);
  message.respond(json.encode(reply));
  console.log(asked.account, asked.question, asked.client_user_id, "->", reply.result);
}
