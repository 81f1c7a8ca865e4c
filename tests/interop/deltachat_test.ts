import assert from "node:assert/strict";
import { startPostern, withFolder } from "../app/postern_process.ts";
import { DeltaChat, findCore } from "./deltachat.ts";

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

Deno.test({
  name: "Delta Chat: accounts by first login, mail both ways through one port, over a restart",
  ignore: core === undefined,
  fn: () => {
    const port = freePort();
    return withFolder(async ({ path, config }) => {
      const args = ["serve", "--config", config];
      let server = await startPostern(args);
      const chat = new DeltaChat(core ?? "", path);
      const { rpc } = chat;
      try {
        const join = async (name: string) => {
          const id = await rpc.addAccount();
          const began = performance.now();
          await rpc.addOrUpdateTransport(id, {
            addr: `${name}@chat.example`,
            password: 'a"password\\with ~all of it',
            imapServer: "127.0.0.1",
            imapPort: port,
            imapSecurity: "ssl",
            imapUser: null,
            imapFolder: null,
            smtpServer: "127.0.0.1",
            smtpPort: port,
            smtpSecurity: "ssl",
            smtpUser: null,
            smtpPassword: null,
            certificateChecks: "acceptInvalidCertificates",
          });
          tell(`${name} configured`, began);
          await rpc.startIo(id);
          // What comes before the first SELECT is never fetched.
          await chat.event(id, "ImapInboxIdle");
          tell(`${name} in IDLE`, began);
          return id;
        };
        const [alice, bobby] = [await join("alice-123"), await join("bobby-123")];
        const meet = async (from: number, to: number) => {
          const [contact] = await rpc.importVcardContents(from, await rpc.makeVcard(to, [1]));
          assert.ok(contact);
          return await rpc.createChatByContactId(from, contact);
        };
        const toBobby = await meet(alice, bobby);
        const toAlice = await meet(bobby, alice);
        const arrival = async (at: number, from: number, send: () => Promise<unknown>) => {
          const seen = chat.events.length;
          const began = performance.now();
          await send();
          const { msgId } = await chat.event(at, "IncomingMsg", seen);
          tell(`from ${from} to ${at}`, began);
          const message = await rpc.getMessage(at, msgId);
          assert.equal(message.showPadlock, true, "it is encrypted");
          return message;
        };
        const say = async (from: number, to: number, chatId: number, text: string) => {
          const message = await arrival(
            to,
            from,
            () => rpc.miscSendTextMessage(from, chatId, text),
          );
          assert.equal(message.text, text);
        };
        await say(alice, bobby, toBobby, "hello");
        await say(bobby, alice, toAlice, "hello to you");
        await say(alice, bobby, toBobby, "once more");

        const file = `${path}/five.bin`;
        const content = new Uint8Array(5 * 1024 * 1024);
        for (let at = 0; at < content.length; at += 65_536) {
          crypto.getRandomValues(content.subarray(at, at + 65_536));
        }
        await Deno.writeFile(file, content);
        const sent = await arrival(
          bobby,
          alice,
          () => rpc.miscSendMsg(alice, toBobby, null, file, "five.bin", null, null),
        );
        // What is large comes as a message of its own, behind the one that announces it.
        const began = performance.now();
        let whole = sent;
        while (!whole.file) {
          assert.ok(performance.now() - began < 20_000, `still ${whole.downloadState}`);
          if (whole.downloadState === "Available") await rpc.downloadFullMessage(bobby, sent.id);
          await new Promise((resolve) => setTimeout(resolve, 50));
          whole = await rpc.getMessage(bobby, sent.id);
        }
        tell("five megabytes more", began);
        assert.deepEqual(await Deno.readFile(whole.file), content);

        await server.stop("SIGTERM");
        server = await startPostern(args);
        // It waits longer and longer otherwise, and connects twice in two minutes at most.
        const seen = chat.events.length;
        for (const id of [alice, bobby]) {
          await rpc.stopIo(id);
          await rpc.startIo(id);
        }
        for (const id of [alice, bobby]) await chat.event(id, "ImapInboxIdle", seen);
        await say(bobby, alice, toAlice, "after the restart");
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
      const { rpc } = chat;
      try {
        const here = `ih=127.0.0.1&ip=${port}&is=ssl&sh=127.0.0.1&sp=${port}&ss=ssl&ic=3`;
        const began = performance.now();
        const members = await Promise.all(
          Array.from({ length: 5 }, async (_, i) => {
            const id = await rpc.addAccount();
            const password = encodeURIComponent(`pass"word\\&=+ ${i}`);
            await rpc.addTransportFromQr(
              id,
              `dclogin:member-0${i}@chat.example?p=${password}&v=1&${here}`,
            );
            await rpc.startIo(id);
            await chat.event(id, "ImapInboxIdle");
            return id;
          }),
        );
        tell("five accounts in IDLE", began);
        const [first, ...others] = members;
        assert.ok(first);
        const group = await rpc.createGroupChat(first, "five", false);
        const invitation = await rpc.getChatSecurejoinQrCode(first, group);
        for (const id of others) {
          const joining = performance.now();
          const seen = chat.events.length;
          await rpc.secureJoin(id, invitation);
          for (let from = seen, isDone = false; !isDone;) {
            await chat.event(id, "SecurejoinJoinerProgress", from);
            const progress = chat.events.slice(from).filter((each) => each.account === id)
              .flatMap(({ event }) => event.kind === "SecurejoinJoinerProgress" ? [event] : []);
            isDone = progress.some((event) => event.progress === 1000);
            from = chat.events.length;
          }
          tell(`account ${id} joined`, joining);
        }
        const seen = chat.events.length;
        const sending = performance.now();
        await rpc.miscSendTextMessage(first, group, "to all");
        await Promise.all(others.map(async (id) => {
          for (let from = seen;;) {
            const { msgId } = await chat.event(id, "IncomingMsg", from);
            from = chat.events.findIndex(({ account, event }, i) =>
              i >= from && account === id && event.kind === "IncomingMsg"
            ) + 1;
            const message = await rpc.getMessage(id, msgId);
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
