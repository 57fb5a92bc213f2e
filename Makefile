# What one does here. Every target installs what it needs and says what it did.
.DEFAULT_GOAL := help
.PHONY: help demo test bench soak fmt

WITH_NATS = LIVEHOOK_NATS_SERVER="$$(deploy/tools.sh nats)" && export LIVEHOOK_NATS_SERVER

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Watch callbacks and polls become events on a NATS of its own (and go on: make demo ARGS=--follow)
	@deploy/tools.sh rust > /dev/null
	@$(WITH_NATS) && cargo run -- demo $(ARGS)

test: ## Everything that must hold before a change is taken; the last line counts
	@tests/gate.sh

bench: ## Measure a release build against its goals; the report is also in target/bench/report.md
	@$(WITH_NATS) && LIVEHOOK_WRK="$$(deploy/tools.sh wrk)" && export LIVEHOOK_WRK && cargo bench --bench bench -- $(ARGS)

soak: ## The long tests at full length: 200 kills, 20 power cuts, 10,000 worlds, 30 days, a consent that expires
	@$(WITH_NATS) && LIVEHOOK_KILLS=200 LIVEHOOK_CUTS=20 LIVEHOOK_AWAY_SECONDS=10 LIVEHOOK_ACKS=50000 \
		cargo test --test it durability -- --nocapture --test-threads 1
	@LIVEHOOK_WORLDS=10000 LIVEHOOK_DAYS=30 cargo test --test it worlds -- --nocapture
	@deploy/tools.sh node > /dev/null && LIVEHOOK_CHROMIUM="$$(deploy/tools.sh chromium)" LIVEHOOK_PATIENT=1 \
		npm --prefix tests/browser --silent test

fmt: ## Format the code
	@deploy/tools.sh rust > /dev/null
	@cargo fmt
