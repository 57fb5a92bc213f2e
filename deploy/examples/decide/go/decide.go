// Decides whether viewers may play and store videos. Change `decide`, and it is your decision service.
//
//	go mod tidy
//	NATS_URL=nats://127.0.0.1:4222 go run .
//
// Run as many of these as you like: each question goes to one of them. What a question holds and what a reply may say is
// in schemas/questions/. If no reply comes in time, the account's `on_no_answer` decides.
package main

import (
	"encoding/json"
	"log"
	"os"
	"time"

	"github.com/nats-io/nats.go"
)

type object = map[string]any
var blocked = map[any]bool{"user-13": true}
var nextVideo = map[any]string{"vnCVPyVx": "Qm4TzW1k"}

func decide(question object) object {
	now, next := time.Now().Unix(), nextVideo[question["media_content_key"]]
	switch {
	case blocked[question["client_user_id"]]:
		return object{"result": "deny", "message": "Your subscription has ended."}
	case question["question"] == "next-episode" && next != "":
		return object{"result": "allow", "content_key": next}
	case question["question"] == "next-episode":
		return object{"result": "deny"}
	case question["action"] == "download":
		return object{"result": "allow", "expires_at": now + 7*24*3600, "count_limit": 10}
	case question["stage"] == "begin" || question["question"] == "live-play":
		return object{"result": "allow", "expires_at": now + 3600}
	default: // it is ready to play, has stored a video, or plays a stored one
		return object{"result": "allow"}
	}
}

func main() {
	bus, err := nats.Connect(os.Getenv("NATS_URL"), nats.MaxReconnects(-1))
	if err != nil {
		log.Fatal(err)
	}
	_, err = bus.QueueSubscribe("ask.kollus.>", "decide", func(message *nats.Msg) {
		var question object
		if json.Unmarshal(message.Data, &question) == nil {
			reply, _ := json.Marshal(decide(question))
			_ = message.Respond(reply)
			log.Println(question["account"], question["question"], "->", string(reply))
		}
	})
	if err != nil || bus.Flush() != nil {
		log.Fatal("cannot subscribe: ", err)
	}
	log.Println("deciding")
	select {}
}
