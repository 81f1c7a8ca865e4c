import assert from "node:assert/strict";
import { serveHttp } from "../../src/app/http_connection.ts";
import { InviteList, Registration } from "../../src/chatmail/mod.ts";
import { ChatmailPages, handleWebRequest } from "../../src/web/mod.ts";
import { ModelStore } from "../store/model_store.ts";
import { memoryTransportPair } from "../support/memory_transport.ts";
import { collect, CONVERSATION_MS, sendInPieces } from "./conversation.ts";
import type { FaultLog } from "./fault_log.ts";
import { tokensOf } from "./mutate.ts";
import type { Target } from "./target.ts";

const DOMAIN = "chat.example";

/** Requests to the pages of a chatmail host, and to the status page where those have nothing. */
export async function openHttpTarget(faults: FaultLog): Promise<Target> {
  const store = new ModelStore();
  await store.directory.addDomain(DOMAIN);
  const registration = new Registration({
    domain: DOMAIN,
    registration: "open",
    usernameMinLength: 9,
    usernameMaxLength: 9,
    passwordMinLength: 9,
    minAvailableMemoryBytes: 0,
    minFreeDiskBytes: 0,
  }, {
    directory: store.directory,
    resources: { availableMemoryBytes: () => 1, freeDiskBytes: () => 1 },
    invites: new InviteList("/dev/null"),
    clock: { now: () => 0 },
  });
  const services = [{ protocol: "imap", port: 443, security: "SSL" }] as const;
  const pages = new ChatmailPages(registration, services, { now: () => Date.now() });
  return {
    name: "http",
    corpus: tokensOf(
      ...[
        "GET / HTTP/1.1",
        "HEAD /new HTTP/1.1",
        "POST /new?t=a%20b HTTP/1.0",
        "GET /?t=%3Cscript%3E HTTP/1.1",
      ]
        .map((line) => `${line}\r\nHost: ${DOMAIN}\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n`),
      `GET /mail/config-v1.1.xml?emailaddress=a@${DOMAIN} HTTP/1.1\nHost: x\n\n`,
      "GET /.well-known/autoconfig/mail/config-v1.1.xml HTTP/1.1\r\n\r\n",
      "GET /elsewhere HTTP/1.1\r\nCookie: a=b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ),
    tokens: tokensOf(
      ..."/ ? t= % %00 %ff %3Cscript%3E <script> // .. @ # : HTTP/1.1 HTTP/2.0 GET POST PUT \\ \xff"
        .split(" "),
      " ",
      "\r\n",
      "\n",
      "\r",
      "\0",
      "\r\n\r\n",
      ": ",
      "\r\nContent-Length: 5",
      "\r\nHost: evil.example",
      "\r\n folded",
      "\r\n: nothing",
      `\r\nX: ${"x".repeat(6000)}`,
    ),
    maxMs: CONVERSATION_MS,
    async run(input, random) {
      const { server, client } = memoryTransportPair({ via: "web" });
      const served = serveHttp(
        server,
        async (request) =>
          await pages.answer(request, `${random.below(1000)}`) ??
            handleWebRequest(request, { hostname: DOMAIN }),
      );
      sendInPieces(client, input, random);
      client.endOutput();
      const output = await collect(client, served);
      faults.check();
      if (output === "") return;
      const [head = "", body] = output.split(/\r\n\r\n(.*)/s);
      assert.match(
        head,
        /^HTTP\/1\.1 \d{3} [A-Za-z ]+\r\n(?:[a-z-]+: [^\r\n\0]*\r\n)*[a-z-]+: .*$/,
      );
      assert.doesNotMatch(head, /^HTTP\/1\.1 5(?!03)/);
      const length = Number(/^content-length: (\d+)$/m.exec(head)?.[1]);
      assert.ok(body === "" || body?.length === length, `${body?.length} octets, not ${length}`);
      assert.ok(!output.includes("<script"), "markup of a stranger");
    },
  };
}
