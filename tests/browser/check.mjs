// An operator in a real Chromium: connects a Kollus and a SOOP account through their simulated authorisation servers,
// says no once, opens an address that a newer one replaced, and reads what livehook shows each time.
//
//   cargo build && npm ci && LIVEHOOK_CHROMIUM=/usr/bin/chromium npm test
//
// Screenshots go to target/browser. The last line counts; exit code 1 when something is not as it must be.
import { spawn } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { openSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const livehook = join(target, "debug", "livehook");
const pictures = join(root, "target", "browser");
// How long a consent may take.
const LIFE = 600_000;
// Where to leave what livehook leaves and says, to be searched for the secrets of the tests.
const remains = process.env.LIVEHOOK_REMAINS;
const canaries = await readFile(join(root, "tests", "canaries.txt"), "utf8");
const canary = (name) => canaries.match(new RegExp(`^${name} (.*)$`, "m"))[1];
const PATIENCE = 30_000;
const children = [];

/** A port that is free now. */
const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Starts livehook with these arguments; ends with this script. */
function start(args, env, stdio) {
  const child = spawn(livehook, args, { env: { ...process.env, ...env }, stdio });
  children.push(child);
  return child;
}

/** The section of a simulated platform, as it is printed, with the lines for `livehook connect` instead of the token. */
async function simulate(platform) {
  const child = start(["simulate", platform, "--port", String(await freePort())], {}, ["ignore", "pipe", "inherit"]);
  const section = [];
  const env = {};
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("# What happens")) break;
    const exported = line.match(/# export (\w+)=(\S+)/);
    if (exported) env[exported[1]] = exported[2];
    if (!line.startsWith("token = ")) section.push(line.replace(/^# (?=(auth_url|client_id|client_secret|poll\.\w+) = )/, ""));
  }
  child.stdout.resume();
  return { section: section.join("\n"), env };
}

/** The service, with both platforms; what its admin listener is called. */
async function service(home) {
  const platforms = [await simulate("kollus"), await simulate("soop")];
  const [open, admin] = [await freePort(), await freePort()];
  const configuration = `[http]
public_listen = "127.0.0.1:${open}"
admin_listen = "127.0.0.1:${admin}"
public_url = "http://127.0.0.1:${open}"
[store]
dir = ${JSON.stringify(join(home, "data"))}
[vault]
key = { env = "VAULT_KEY" }
${platforms.map(({ section }) => section).join("\n")}`;
  await writeFile(join(home, "livehook.toml"), configuration);
  const env = Object.assign({ VAULT_KEY: canary("browser-vault-key") }, ...platforms.map(({ env }) => env));
  const log = remains ? openSync(join(home, "livehook.log"), "a") : "inherit";
  start(["run", "--config", join(home, "livehook.toml")], remains ? { ...env, LIVEHOOK_LOG__FILTER: "debug" } : env, ["ignore", "ignore", log]);
  const url = `http://127.0.0.1:${admin}`;
  for (const began = Date.now(); ; await new Promise((wake) => setTimeout(wake, 100))) {
    const answer = await fetch(`${url}/api/v1/credentials`).catch(() => undefined);
    if ((await answer?.json())?.credentials.length === 2) return url;
    if (Date.now() - began > PATIENCE) throw new Error("livehook does not start");
  }
}

let passed = 0;
let failed = 0;
const check = (what, is) => {
  is ? passed++ : failed++;
  console.log(`${is ? "ok    " : "FAILED"} ${what}`);
};

const home = await mkdtemp(join(remains ?? tmpdir(), "livehook-browser-"));
let browser;
try {
  await mkdir(pictures, { recursive: true });
  const admin = await service(home);
  const executablePath = process.env.LIVEHOOK_CHROMIUM;
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  // As wide as a phone: whatever fits there fits everywhere.
  const context = await browser.newContext({ viewport: { width: 412, height: 915 }, javaScriptEnabled: false });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const complaints = [];
  // A page of bad news has a status of bad news, which is no fault of the page.
  const isNews = (text) => /the server responded with a status of 40[03]/.test(text);
  page.on("console", (message) => isNews(message.text()) || complaints.push(message.text()));

  const shown = async (name) => {
    await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
    if (remains) await appendFile(join(home, "pages"), `${page.url()}\n${await page.content()}\n`);
    return page.innerText("body");
  };
  const row = (account) => page.locator("section", { has: page.locator("h2", { hasText: account }) });
  const connect = async (account) => {
    await page.goto(`${admin}/connect`);
    await row(account).getByRole("button", { name: "Connect", exact: true }).click();
  };
  const says = async (name, ...words) => {
    const text = await shown(name);
    for (const word of words) check(`${name}: ${word}`, text.includes(word));
  };

  await page.goto(`${admin}/connect`);
  await says("1-not-connected", "kollus Kollus", "soop SOOP", "Not connected", "Needs you");

  await connect("kollus");
  await shown("2-kollus-login");
  await page.getByRole("button", { name: "Log in" }).click();
  await shown("3-kollus-consent");
  await page.getByRole("button", { name: "Authorize" }).click();
  await says("4-kollus-asked", "Link Kollus account operator@acme.example to kollus?", "Nothing is connected before");
  check("the address is clean", page.url().endsWith("/oauth/kollus/result?outcome=confirm"));
  await page.getByRole("button", { name: "Yes" }).click();
  await says("5-kollus-connected", "Connected", "operator@acme.example");

  await connect("soop");
  await page.getByRole("button", { name: "로그인" }).click();
  await shown("6-soop-consent");
  await page.getByRole("button", { name: "취소" }).click();
  await says("7-soop-denied", "Not connected", "You said no, so nothing was connected");

  await connect("soop");
  await page.getByRole("button", { name: "동의" }).click();
  await says("8-soop-asked", "Link SOOP account soop1234 to soop?");
  await page.getByRole("button", { name: "No", exact: true }).click();
  await says("9-soop-refused", "Not connected", "You said no");
  await connect("soop");
  await page.getByRole("button", { name: "동의" }).click();
  await page.getByRole("button", { name: "Yes" }).click();
  await says("10-soop-connected", "Connected", "soop1234");

  // An address that was sent to somebody, and then Connect was pressed again.
  const begun = async () => {
    const answer = await fetch(`${admin}/api/v1/credentials/kollus/connect`, { method: "POST" });
    return (await answer.json()).url;
  };
  const [replaced, newest] = [await begun(), await begun()];
  await page.goto(replaced);
  await says("11-replaced", "Not connected", "a newer one took its place");
  await page.goto(newest);
  await page.getByRole("button", { name: "Authorize" }).click();
  // The platform echoes `state`, and it is the same person: nobody is asked again.
  await says("12-again", "Connected", "operator@acme.example");
  await page.goto(newest);
  await says("13-used", "This link was opened before");

  // Ten real minutes, which only `make soak` has.
  if (process.env.LIVEHOOK_PATIENT) {
    await page.goto(await begun());
    await page.waitForTimeout(LIFE + 2_000);
    await page.getByRole("button", { name: "Authorize" }).click();
    await says("expired", "Not connected", "More than ten minutes went by");
  }

  await page.goto(`${admin}/connect`);
  await says("14-both-connected", "Connected as operator@acme.example", "Connected as soop1234");
  await page.setViewportSize({ width: 1280, height: 800 });
  await shown("15-on-a-desk");
  await page.emulateMedia({ colorScheme: "dark" });
  await shown("16-at-night");
  check(`the browser complains of nothing: ${complaints.join("; ")}`, complaints.length === 0);
  const cookies = await context.cookies();
  const consent = cookies.filter(({ name }) => name.startsWith("livehook"));
  check("the cookie is for no script", consent.every(({ httpOnly, sameSite }) => httpOnly && sameSite === "Lax"));
} catch (error) {
  check(error.stack, false);
  if (remains) {
    for (const path of ["metrics", "readyz", "connect", "api/v1/events", "api/v1/watches", "api/v1/credentials"])
      await appendFile(join(home, "pages"), await (await fetch(`${admin}/${path}`)).text());
  }
} finally {
  await browser?.close();
  children.forEach((child) => child.kill());
  // Of what is kept, not the space that livehook holds in reserve.
  await rm(remains ? join(home, "data", "ballast") : home, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
