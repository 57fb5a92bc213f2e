"""Decides whether viewers may play and store videos. Change `decide`, and it is your decision service.

    pip install nats-py
    NATS_URL=nats://127.0.0.1:4222 python decide.py

Run as many of these as you like: each question goes to one of them. What a question holds and what a reply may say is
in schemas/questions/. If no reply comes in time, the account's `on_no_answer` decides.
"""

import asyncio
import json
import os
import time

import nats

BLOCKED = {"user-13"}
NEXT_VIDEO = {"vnCVPyVx": "Qm4TzW1k"}


def decide(question: dict) -> dict:
    now = int(time.time())
    if question.get("client_user_id") in BLOCKED:
        return {"result": "deny", "message": "Your subscription has ended."}
    if question["question"] == "next-episode":
        content_key = NEXT_VIDEO.get(question.get("media_content_key"))
        return {"result": "allow", "content_key": content_key} if content_key else {"result": "deny"}
    if question.get("action") == "download":
        return {"result": "allow", "expires_at": now + 7 * 24 * 3600, "count_limit": 10}
    # A player begins to play, is ready to play, has stored a video, or plays a stored one.
    begins = question.get("stage") == "begin" or question["question"] == "live-play"
    return {"result": "allow", "expires_at": now + 3600} if begins else {"result": "allow"}


async def main():
    bus = await nats.connect(os.environ.get("NATS_URL", "nats://127.0.0.1:4222"), max_reconnect_attempts=-1)

    async def answer(message):
        question = json.loads(message.data)
        reply = decide(question)
        await message.respond(json.dumps(reply).encode())
        print(question["account"], question["question"], question.get("client_user_id"), "->", reply["result"], flush=True)

    await bus.subscribe("ask.kollus.>", queue="decide", cb=answer)
    await bus.flush()
    print("deciding", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
