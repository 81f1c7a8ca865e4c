import assert from "node:assert/strict";
import { makeVerifier } from "../../src/auth/mod.ts";
import { encodeUtf8 } from "../../src/base/mod.ts";
import { parseMailboxName } from "../../src/store/mod.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { startPostern, withFolder } from "../app/postern_process.ts";
import { TestClient } from "../support/client.ts";
import { TEST_COSTS } from "../support/server.ts";
import { type CoreMessage, DeltaChat, findCore, type LoginParameters } from "./deltachat.ts";

const core = await findCore();

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** A chatmail host whose one port has everything. */
function hostConfig(port: number): string {
  return `
[[listener]]
kind = "alpn"
address = "127.0.0.1:${port}"
[listener.routes]
imap = "imap"
smtp = "submission"
"http/1.1" = "web"
none = "web"
[chatmail]
domain = "chat.example"
require_encryption = true
push_url = "none"
min_available_memory = "0B"
min_free_disk_space = "0B"
`;
}

/** Says a measured time in the test's output. */
function tell(what: string, sinceMs: number): void {
  // deno-lint-ignore no-console -- what the test measures is part of its result
  console.log(`${what}: ${Math.round(performance.now() - sinceMs)} ms`);
}

/** What accounts of one core do with each other. */
class Conversation {
  readonly #chat: DeltaChat;

  constructor(chat: DeltaChat) {
    this.#chat = chat;
  }

  /** Has `from` know `to`, keys and all; gives the chat. */
  async meet(from: number, to: number): Promise<number> {
    const [contact] = await this.#chat.call<number[]>(
      "import_vcard_contents",
      from,
      await this.#chat.call<string>("make_vcard", to, [1]),
    );
    assert.ok(contact);
    return await this.#chat.call<number>("create_chat_by_contact_id", from, contact);
  }

  /** Sends something, and gives the message that it becomes at the other end. */
  async arrival(
    at: number,
    from: number,
    send: () => Promise<unknown>,
  ): Promise<CoreMessage & { readonly id: number }> {
    const seen = this.#chat.events.length;
    const began = performance.now();
    await send();
    const { msgId = 0 } = await this.#chat.event(at, "IncomingMsg", seen);
    tell(`from account ${from} to ${at}`, began);
    const message = await this.#chat.call<CoreMessage>("get_message", at, msgId);
    assert.equal(message.showPadlock, true, "it is encrypted");
    return { ...message, id: msgId };
  }

  async say(from: number, to: number, chatId: number, text: string): Promise<void> {
    const message = await this.arrival(
      to,
      from,
      () => this.#chat.call<number>("misc_send_text_message", from, chatId, text),
    );
    assert.equal(message.text, text);
  }

  /** Sends a file, and waits until the other end has all of it. */
  async sendFile(from: number, to: number, chatId: number, path: string): Promise<void> {
    const whole = performance.now();
    const sent = await this.arrival(
      to,
      from,
      () =>
        this.#chat.call<unknown>("misc_send_msg", from, chatId, null, path, "a.bin", null, null),
    );
    // What is large comes as a message of its own, behind the one that announces it.
    const began = performance.now();
    let message: CoreMessage = sent;
    while (!message.file) {
      assert.ok(performance.now() - began < 20_000, `still ${message.downloadState}`);
      if (message.downloadState === "Available") {
        await this.#chat.call("download_full_message", to, sent.id);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
      message = await this.#chat.call<CoreMessage>("get_message", to, sent.id);
    }
    tell("all of the file", whole);
    assert.deepEqual(await Deno.readFile(message.file), await Deno.readFile(path));
  }
}

/** A link that says all about where an account is. */
function dclogin(name: string, password: string, port: number): string {
  return `dclogin:${name}@chat.example?p=${encodeURIComponent(password)}&v=1` +
    `&ih=127.0.0.1&ip=${port}&is=ssl&sh=127.0.0.1&sp=${port}&ss=ssl&ic=3`;
}

Deno.test({
  name: "Delta Chat: accounts by first login, mail both ways through one port, over a restart",
  ignore: core === undefined,
  fn: () => {
    const port = freePort();
    return withFolder(async ({ path, config }) => {
      const args = ["serve", "--config", config];
      let server = await startPostern(args);
      const chat = new DeltaChat(core ?? "", path);
      try {
        const join = async (name: string) => {
          const id = await chat.call<number>("add_account");
          const began = performance.now();
          const login: LoginParameters = {
            addr: `${name}@chat.example`,
            password: 'a"password\\with ~all of it',
            imapServer: "127.0.0.1",
            imapPort: port,
            imapSecurity: "ssl",
            smtpServer: "127.0.0.1",
            smtpPort: port,
            smtpSecurity: "ssl",
            certificateChecks: "acceptInvalidCertificates",
          };
          await chat.call("add_or_update_transport", id, login);
          tell(`${name} configured`, began);
          await chat.call("start_io", id);
          // What comes before the first SELECT is never fetched.
          await chat.event(id, "ImapInboxIdle");
          tell(`${name} in IDLE`, began);
          return id;
        };
        const [alice, bobby] = [await join("alice-123"), await join("bobby-123")];
        const talk = new Conversation(chat);
        const toBobby = await talk.meet(alice, bobby);
        const toAlice = await talk.meet(bobby, alice);
        await talk.say(alice, bobby, toBobby, "hello");
        await talk.say(bobby, alice, toAlice, "hello to you");
        await talk.say(alice, bobby, toBobby, "once more");

        const file = `${path}/five.bin`;
        const content = new Uint8Array(5 * 1024 * 1024);
        for (let at = 0; at < content.length; at += 65_536) {
          crypto.getRandomValues(content.subarray(at, at + 65_536));
        }
        await Deno.writeFile(file, content);
        await talk.sendFile(alice, bobby, toBobby, file);
        await talk.sendFile(bobby, alice, toAlice, file);

        await server.stop("SIGTERM");
        server = await startPostern(args);
        // It waits longer and longer otherwise, and connects twice in two minutes at most.
        const seen = chat.events.length;
        for (const id of [alice, bobby]) {
          await chat.call("stop_io", id);
          await chat.call("start_io", id);
        }
        for (const id of [alice, bobby]) await chat.event(id, "ImapInboxIdle", seen);
        await talk.say(bobby, alice, toAlice, "after the restart");
        assert.doesNotMatch(server.stderr(), /@chat\.example|127\.0\.0\.1/, "no addresses");
      } catch (error) {
        throw new Error(`${chat.problems(1).join("\n")}\n${server.stderr()}`, { cause: error });
      } finally {
        await chat.close();
        await server.stop("SIGTERM");
      }
    }, hostConfig(port));
  },
});

Deno.test({
  name: "Delta Chat: five accounts by dclogin links join a group, whose mail is for all of them",
  ignore: core === undefined,
  fn: () => {
    const port = freePort();
    return withFolder(async ({ path, config }) => {
      const server = await startPostern(["serve", "--config", config]);
      const chat = new DeltaChat(core ?? "", path);
      try {
        const began = performance.now();
        const members = await Promise.all(
          Array.from({ length: 5 }, async (_, i) => {
            const id = await chat.call<number>("add_account");
            const link = dclogin(`member-0${i}`, `pass"word\\&=+ ${i}`, port);
            await chat.call("add_transport_from_qr", id, link);
            await chat.call("start_io", id);
            await chat.event(id, "ImapInboxIdle");
            return id;
          }),
        );
        tell("five accounts in IDLE", began);
        const [first, ...others] = members;
        assert.ok(first);
        const group = await chat.call<number>("create_group_chat", first, "five", false);
        const invitation = await chat.call<string>("get_chat_securejoin_qr_code", first, group);
        for (const id of others) {
          const joining = performance.now();
          const seen = chat.events.length;
          await chat.call<number>("secure_join", id, invitation);
          for (let from = seen, progress = 0; progress < 1000;) {
            const event = await chat.event(id, "SecurejoinJoinerProgress", from);
            from = chat.events.findIndex((each) => each.event === event) + 1;
            progress = event.progress ?? 0;
            assert.notEqual(progress, 0, "joining failed");
          }
          tell(`account ${id} joined`, joining);
        }
        const seen = chat.events.length;
        const sending = performance.now();
        await chat.call<number>("misc_send_text_message", first, group, "to all");
        await Promise.all(others.map(async (id) => {
          for (let from = seen;;) {
            const event = await chat.event(id, "IncomingMsg", from);
            from = chat.events.findIndex((each) => each.event === event) + 1;
            const message = await chat.call<CoreMessage>("get_message", id, event.msgId);
            if (message.text === "to all") {
              return assert.equal(message.showPadlock, true);
            }
          }
        }));
        tell("one message to four", sending);
      } catch (error) {
        throw new Error(`${chat.problems(1).join("\n")}\n${server.stderr()}`, { cause: error });
      } finally {
        await chat.close();
        await server.stop("SIGTERM");
      }
    }, hostConfig(port));
  },
});

/**
 * An address of this host at which port 443 is free, and may be had. Links of the kind dcaccount
 * have TLS checked; the core has its authorities built in and looks at no SSL_CERT_FILE, so that no
 * certificate of a test can pass, except for host names that begin with "_": of those it takes a
 * self-signed one that has the name. That name is put into the core's own memory of DNS.
 */
const ADDRESS_443 = "127.0.0.77";
const mayListenOn443 = (() => {
  try {
    Deno.listen({ hostname: ADDRESS_443, port: 443 }).close();
    return true;
  } catch {
    return false;
  }
})();

Deno.test({
  name: "Delta Chat: dcaccount links make accounts with nothing but a name and port 443",
  ignore: core === undefined || !mayListenOn443,
  fn: () => {
    const domain = "_chat.example";
    const toml = hostConfig(443).replace("127.0.0.1:443", `${ADDRESS_443}:443`)
      .replace('"chat.example"', `"${domain}"`);
    return withFolder(async ({ path, config }) => {
      const text = await Deno.readTextFile(config);
      await Deno.writeTextFile(config, text.replace(/^hostname = .*$/m, `hostname = "${domain}"`));
      const server = await startPostern(["serve", "--config", config]);
      const chat = new DeltaChat(core ?? "", path);
      try {
        const join = async (link: string) => {
          const id = await chat.call<number>("add_account");
          await chat.rememberName(path, domain, ADDRESS_443);
          const began = performance.now();
          await chat.call("add_transport_from_qr", id, link);
          tell(`configured by ${link}`, began);
          await chat.call("start_io", id);
          await chat.event(id, "ImapInboxIdle");
          tell(`account ${id} in IDLE`, began);
          const [login] = await chat.call<{ addr: string; certificateChecks: string }[]>(
            "list_transports",
            id,
          );
          assert.match(login?.addr ?? "", /^[a-z0-9]{9}@_chat\.example$/);
          assert.equal(login?.certificateChecks, "strict");
          return id;
        };
        // The first invents a name and password, the other asks the host for them.
        const invented = await join(`dcaccount:${domain}`);
        const given = await join(`dcaccount:https://${domain}/new`);
        const talk = new Conversation(chat);
        await talk.say(invented, given, await talk.meet(invented, given), "hello");
        await talk.say(given, invented, await talk.meet(given, invented), "hello to you");
      } catch (error) {
        throw new Error(`${chat.problems(1).join("\n")}\n${server.stderr()}`, { cause: error });
      } finally {
        await chat.close();
        await server.stop("SIGTERM");
      }
    }, toml);
  },
});

Deno.test({
  name: "Delta Chat: what a full mailbox loses disturbs nobody who looks at it",
  ignore: core === undefined,
  fn: () => {
    const port = freePort();
    const toml = hostConfig(port) + 'max_mailbox_size = "1M"\n';
    return withFolder(async ({ path, config }) => {
      // Eight messages of two days ago, 800 of the 1,024 KiB.
      const ago = Date.now() - 2 * 86_400_000;
      const store = await openSqliteStore({ dataDir: `${path}/data`, clock: { now: () => ago } });
      await store.directory.addDomain("chat.example");
      const verifier = await makeVerifier("long enough", TEST_COSTS);
      const { id } = await store.directory.addAccount("alice-123@chat.example", verifier);
      const mail = await store.openAccount(id);
      for (let i = 0; i < 8; i++) {
        const stage = mail.stageMessage();
        await stage.write(encodeUtf8(`Subject: ${i}\r\n\r\n${"x".repeat(102_300)}\r\n`));
        const staged = await stage.finish();
        const internalDate = { seconds: Math.floor(ago / 1000), zoneMinutes: 0 };
        await mail.append(parseMailboxName("INBOX"), [
          { staged, flags: 0, keywords: [], internalDate },
        ]);
        await staged.discard();
      }
      await store.close();
      const server = await startPostern(["serve", "--config", config]);
      const chat = new DeltaChat(core ?? "", path);
      try {
        const [alice = 0, bobby = 0] = await Promise.all(["alice-123", "bobby-123"].map(
          async (name) => {
            const id = await chat.call<number>("add_account");
            await chat.call("add_transport_from_qr", id, dclogin(name, "long enough", port));
            await chat.call("start_io", id);
            await chat.event(id, "ImapInboxIdle");
            return id;
          },
        ));
        const observer = await TestClient.connect(port, { tls: true, alpn: ["imap"] });
        await observer.ok('LOGIN alice-123@chat.example "long enough"');
        const old = async () => {
          const { untagged } = await observer.ok("STATUS INBOX (MESSAGES)");
          return Number(/MESSAGES (\d+)/.exec(untagged.join())?.[1]);
        };
        assert.equal(await old(), 8);
        const talk = new Conversation(chat);
        await talk.meet(alice, bobby);
        const toAlice = await talk.meet(bobby, alice);
        await talk.say(bobby, alice, toAlice, "what makes it too much");
        const began = performance.now();
        // 70 % are seven; what the client has it removes itself.
        const untilSeven = async () => {
          const end = performance.now() + 20_000;
          while (await old() !== 7) {
            assert.ok(performance.now() < end, "nothing was removed");
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        };
        await untilSeven();
        tell("the oldest removed, 10 s at most after mail came,", began);
        await talk.say(bobby, alice, toAlice, "and on it goes");
        await untilSeven();
        assert.deepEqual(chat.problems(alice), []);
        observer.close();
      } catch (error) {
        throw new Error(`${chat.problems(1).join("\n")}\n${server.stderr()}`, { cause: error });
      } finally {
        await chat.close();
        await server.stop("SIGTERM");
      }
    }, toml);
  },
});
