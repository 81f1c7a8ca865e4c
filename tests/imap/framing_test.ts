import assert from "node:assert/strict";
import { DEFAULT_TIMES } from "../../src/session/mod.ts";
import {
  MAX_LINE_BYTES,
  MAX_LITERAL_BYTES,
  MAX_LITERALS,
  MAX_LITERALS_BYTES,
  MAX_LITERALS_BYTES_BEFORE_LOGIN,
  MAX_TAG_LENGTH,
} from "../../src/wire/mod.ts";
import { MAX_BAD_COMMANDS, MAX_BAD_COMMANDS_BEFORE_LOGIN } from "../../src/session/limits.ts";
import { literal, type TestClient } from "../support/client.ts";
import { simpleMessage } from "../support/messages.ts";
import { PASSWORD, USER, withServer } from "../support/server.ts";

/** Sends all of `text` at once and gives the tagged lines up to that of `lastTag`. */
async function pipeline(client: TestClient, text: string, lastTag: string): Promise<string[]> {
  client.send(text);
  const tagged: string[] = [];
  for (;;) {
    const line = await client.response();
    if (!/^[*+] /.test(line)) tagged.push(line.split(" ").slice(0, 2).join(" "));
    if (line.startsWith(`${lastTag} `)) return tagged;
  }
}

/** Lines up to the end of the connection. */
async function toTheEnd(client: TestClient): Promise<string[]> {
  return (await client.rest()).split("\r\n").slice(0, -1);
}

Deno.test("pipelined commands are answered in order, with literals and errors among them", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const message = simpleMessage();
    const tagged = await pipeline(
      c,
      "p1 NOOP\r\n" +
        `p2 APPEND INBOX {${message.length}+}\r\n${message}\r\n` +
        "p3 FETCH 99 FLAGS\r\n" +
        "p4 XNONE {7+}\r\nx NOOP\r\n more\r\n" +
        "p5 STATUS {5+}\r\nINBOX (MESSAGES)\r\n" +
        "p6 APPEND missing {4+}\r\nabcd\r\n" +
        "p7 SEARCH TEXT {3+}\r\na\r\n OR\r\n" +
        "p8 NOOP\r\n",
      "p8",
    );
    assert.deepEqual(tagged, [
      "p1 OK",
      "p2 OK",
      "p3 BAD",
      "p4 BAD",
      "p5 OK",
      "p6 NO",
      "p7 BAD",
      "p8 OK",
    ]);
    const { untagged } = await c.ok("STATUS INBOX (MESSAGES)");
    assert.deepEqual(untagged, ["STATUS INBOX (MESSAGES 1)"]);
  });
});

Deno.test("a login with literals may be pipelined with what follows it", async () => {
  await withServer(async (server) => {
    const c = await server.connect();
    const login = `l LOGIN {${USER.length}+}\r\n${USER} {${PASSWORD.length}+}\r\n${PASSWORD}\r\n`;
    const tagged = await pipeline(c, `${login}s SELECT INBOX\r\nn NOOP\r\n`, "n");
    assert.deepEqual(tagged, ["l OK", "s OK", "n OK"]);
  });
});

Deno.test("what stands in a refused literal is never run", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const evil = "x CREATE evil\r\n";
    for (
      const command of [
        `XNONE {${evil.length}+}\r\n${evil}\r\n`,
        `APPEND missing {${evil.length}+}\r\n${evil}\r\n`,
        `APPEND INBOX (\\Bad) {${evil.length}+}\r\n${evil}\r\n`,
        `NOOP {${evil.length}+}\r\n${evil}\r\n`,
        `LIST "" ({${evil.length}+}\r\n${evil}\r\n`,
        `FETCH 1 FLAGS {${evil.length}+}\r\n${evil}\r\n`,
        `APPEND INBOX ~{${evil.length}+}\r\n${evil} ~{${evil.length}+}\r\n${evil}!\r\n`,
      ]
    ) {
      const tag = c.begin();
      c.send(`${tag} ${command}`);
      assert.notEqual((await c.answer(tag)).status, "OK", command);
      assert.deepEqual((await c.ok('LIST "" evil')).untagged, [], command);
    }
  });
});

Deno.test("a line without a tag is BAD, and the next command is not touched by it", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    for (const line of ["", " ", "*", "+ x", "(a {5}", "{3}", "\x16\x03\x01", "* {2+}\r\nab"]) {
      c.send(`${line}\r\n`);
      assert.match(await c.response(), /^\* BAD /, JSON.stringify(line));
      await c.ok("NOOP");
    }
  });
});

Deno.test("a synchronizing literal is asked for only when it will be taken", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.no(["APPEND missing ", literal("x")], "TRYCREATE");
    await c.bad(["XNONE ", literal("x")]);
    await c.bad(["APPEND INBOX (\\Bad) ", literal("x")]);
    await c.bad(["APPEND INBOX x ", literal("x")]);
    // The client took the refusal and goes on.
    await c.ok("NOOP");
  });
});

Deno.test("lines end with LF too, and an empty line is no command", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    assert.deepEqual(await pipeline(c, "a NOOP\nb NOOP\r\nc STATUS {5+}\nINBOX (UNSEEN)\n", "c"), [
      "a OK",
      "b OK",
      "c OK",
    ]);
    assert.deepEqual(await pipeline(c, "d NOOP\r\r\ne NOOP\r\n", "e"), ["d BAD", "e OK"]);
  });
});

Deno.test("a command may be as long as the limit; a longer one is BAD [TOOBIG] under its own tag", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const filled = (tag: string, length: number) => {
      const [before, after] = [`${tag} SEARCH TEXT "`, '"'];
      return `${before}${"x".repeat(length - before.length - after.length)}${after}\r\n`;
    };
    c.send(filled("exact", MAX_LINE_BYTES));
    assert.equal((await c.answer("exact")).status, "OK");
    c.send(filled("over", MAX_LINE_BYTES + 1));
    const over = await c.answer("over");
    assert.deepEqual([over.status, over.code], ["BAD", "TOOBIG"]);
    c.send(`far ${filled("x", 3 * MAX_LINE_BYTES)}`);
    assert.equal((await c.answer("far")).code, "TOOBIG");
    // With a literal behind it: read over when it is under way, not asked for otherwise.
    c.send(`lit SEARCH TEXT "${"x".repeat(MAX_LINE_BYTES)}" TEXT {9+}\r\nx NOOP\r\n! ALL\r\n`);
    assert.equal((await c.answer("lit")).code, "TOOBIG");
    c.send(`sync SEARCH TEXT "${"x".repeat(MAX_LINE_BYTES)}" TEXT {9}\r\n`);
    assert.equal((await c.answer("sync")).code, "TOOBIG");
    await c.ok("NOOP");
  });
});

Deno.test("a tag may be as long as the limit", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const tag = "t".repeat(MAX_TAG_LENGTH);
    c.send(`${tag} NOOP\r\n`);
    assert.equal((await c.answer(tag)).status, "OK");
    c.send(`${tag}t NOOP\r\n`);
    assert.match(await c.response(), /^\* BAD /);
  });
});

Deno.test("one literal, and all of a command, may be as large as the limits (behaviour 1.30)", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const text = (size: number) => "x".repeat(size);
    const keys = (sizes: readonly number[]) => [
      "SEARCH",
      ...sizes.flatMap((size) => [" TEXT ", literal(text(size))]),
    ];
    await c.ok(keys([MAX_LITERAL_BYTES]));
    await c.bad(keys([MAX_LITERAL_BYTES + 1]), "TOOBIG");
    const most = Array(MAX_LITERALS_BYTES / MAX_LITERAL_BYTES).fill(MAX_LITERAL_BYTES);
    await c.ok(keys(most));
    await c.bad(keys([...most, 1]), "TOOBIG");
    await c.ok("NOOP");
  });
});

Deno.test("a command may have as many literals as the limit", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const list = (count: number) => `LIST "" (${"{1+}\r\nx ".repeat(count - 1)}{1+}\r\nx)\r\n`;
    c.send(`exact ${list(MAX_LITERALS)}`);
    assert.equal((await c.answer("exact")).status, "OK");
    c.send(`over ${list(MAX_LITERALS + 1)}`);
    assert.match(await c.response(), /^\* BYE \[ALERT\] /);
    assert.equal((await c.answer("over")).code, "TOOBIG");
    assert.deepEqual(await toTheEnd(c), []);
  });
});

Deno.test("a non-synchronizing literal over the limit ends the connection, with BYE and BAD", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    c.send(`a SEARCH TEXT {${MAX_LITERAL_BYTES + 1}+}\r\nb NOOP\r\n`);
    assert.match(await c.response(), /^\* BYE \[ALERT\] /);
    const answer = await c.answer("a");
    assert.deepEqual([answer.status, answer.code], ["BAD", "TOOBIG"]);
    assert.deepEqual(await toTheEnd(c), []);
  });
});

Deno.test("before login a command holds fewer octets of literals", async () => {
  await withServer(async (server) => {
    const c = await server.connect();
    const size = MAX_LITERALS_BYTES_BEFORE_LOGIN;
    await c.no(["LOGIN x ", literal("x".repeat(size))]);
    await c.bad(["LOGIN x ", literal("x".repeat(size + 1))], "TOOBIG");
    await c.bad(["LOGIN ", literal("x"), " ", literal("x".repeat(size))], "TOOBIG");
    await c.bad(["APPEND INBOX ", literal("x")]);
    await c.ok(`LOGIN ${USER} "${PASSWORD}"`);
  });
});

Deno.test("one APPEND takes as many messages as the limit on literals, and leaves nothing of more", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const append = (count: number) => `APPEND INBOX${" {1+}\r\nx".repeat(count)}\r\n`;
    c.send(`over ${append(MAX_LITERALS + 1)}`);
    const over = await c.answer("over");
    assert.deepEqual([over.status, over.code], ["NO", "LIMIT"]);
    assert.deepEqual((await c.ok("STATUS INBOX (MESSAGES)")).untagged, [
      "STATUS INBOX (MESSAGES 0)",
    ]);
    c.send(`exact ${append(MAX_LITERALS)}`);
    assert.equal(
      (await c.answer("exact")).code?.replace(/\d+/, "v"),
      `APPENDUID v 1:${MAX_LITERALS}`,
    );
  });
});

Deno.test("commands may come octet by octet", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    c.socket.setNoDelay(true);
    for (
      const char of "a APPEND INBOX {3+}\r\nabc (\\Seen) {2+}\r\n\r\n\r\nb FETCH 1:2 FLAGS\r\n"
    ) {
      c.send(char);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert.equal((await c.answer("a")).status, "OK");
    const fetch = await c.answer("b");
    assert.deepEqual(fetch.untagged.map((line) => line.split(" ").slice(0, 2).join(" ")), [
      "1 FETCH",
      "2 FETCH",
    ]);
  });
});

Deno.test("bad commands in a row end the connection, whatever form they have", async () => {
  await withServer(async (server) => {
    const forms = [
      "x XNONE\r\n",
      "\r\n",
      "x XNONE {9}\r\n",
      "x XNONE {1+}\r\n!\r\n",
      "x {9}\r\n",
      "({9}\r\n",
    ];
    for (const form of forms) {
      const c = await server.connect();
      // One that is not bad begins the count anew.
      await pipeline(c, `${form.repeat(MAX_BAD_COMMANDS_BEFORE_LOGIN - 1)}n NOOP\r\n`, "n");
      c.send(form.repeat(MAX_BAD_COMMANDS_BEFORE_LOGIN + 3));
      const lines = await toTheEnd(c);
      assert.match(lines.at(-1)!, /^\* BYE Too many bad commands$/, form);
      assert.equal(lines.filter((line) => line.startsWith("* BYE")).length, 1, form);
      assert.equal(lines.filter((line) => /^[x*] BAD/.test(line)).length, 5, form);
    }
    const c = await server.login();
    c.send("x XNONE\r\n".repeat(MAX_BAD_COMMANDS + 1));
    const lines = await toTheEnd(c);
    assert.equal(lines.length, MAX_BAD_COMMANDS + 1);
    assert.match(lines.at(-1)!, /^\* BYE /);
  });
});

Deno.test("binary noise, a ClientHello and a browser are told BAD and go; others are served", async () => {
  await withServer(async (server) => {
    const noise = new Uint8Array(200_000).map((_, i) => (i * 2_654_435_761) >>> 13);
    const hello = Uint8Array.of(22, 3, 1, 0, 10, 1, 0, 0, 6, 3, 3, 10, 10, 10, 10, 10, 10);
    const browser = "GET / HTTP/1.1\r\nHost: x\r\nAccept: a\r\nB: c\r\nD: e\r\n\r\n";
    for (const bytes of [noise, hello, browser]) {
      const c = await server.connect();
      c.send(bytes);
      c.socket.end();
      for (const line of await toTheEnd(c)) assert.match(line, /^\S+ BAD |^\* BYE /);
    }
    await (await server.login()).ok("NOOP");
  });
});

Deno.test("a TLS client or a browser on the clear port is sent away at once, and does not wait", async () => {
  await withServer(async (server) => {
    const started = Date.now();
    for (const hello of ["\x16\x03\x01\x02\x00\x01", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"]) {
      const c = await server.connect();
      c.send(hello);
      assert.match(await c.rest(), /^\* BYE [^\r]*\r\n$/);
    }
    assert.ok(Date.now() - started < 5_000);
  });
});

Deno.test("what was sent in clear behind STARTTLS is never run", async () => {
  await withServer(async (server) => {
    const evil = "e1 CREATE evil\r\n";
    const c = await server.connect();
    await assert.rejects(c.startTls(evil));
    const pipelined = await server.connect();
    pipelined.send(`a STARTTLS\r\nb LOGIN ${USER} "${PASSWORD}"\r\nc CREATE evil\r\n`);
    const lines = await toTheEnd(pipelined);
    assert.match(lines[0]!, /^a OK /);
    assert.ok(!lines.some((line) => /^[bc] /.test(line)), lines.join("\n"));
    const after = await server.connect();
    await after.startTls();
    await after.ok(`LOGIN ${USER} "${PASSWORD}"`);
    assert.deepEqual((await after.ok('LIST "" evil')).untagged, []);
    await after.bad("STARTTLS");
  });
});

Deno.test("a client that ends its side gets the answers to all it sent", async () => {
  await withServer(async (server) => {
    const helper = await server.login();
    await helper.append("INBOX", simpleMessage("big", "x".repeat(300_000)));
    const c = await server.login("INBOX");
    c.send("a FETCH 1 BODY.PEEK[]\r\nb NOOP\r\nc STATUS INBOX (MESSAGES)\r\n");
    c.socket.end();
    const lines = await toTheEnd(c);
    assert.ok(lines.some((line) => line.startsWith("a OK")));
    assert.ok(lines.at(-1)!.startsWith("c OK"));
  });
});

Deno.test("half a command at the end of the connection is not run", async () => {
  await withServer(async (server) => {
    for (const half of ["a CREATE half", "a APPEND INBOX {10+}\r\nabc", "a CREATE {4+}\r\nhalf"]) {
      const c = await server.login();
      c.send(half);
      c.socket.end();
      assert.deepEqual(await toTheEnd(c), []);
    }
    const c = await server.login();
    assert.deepEqual((await c.ok('LIST "" half')).untagged, []);
    assert.deepEqual((await c.ok("STATUS INBOX (MESSAGES)")).untagged, [
      "STATUS INBOX (MESSAGES 0)",
    ]);
  });
});

Deno.test("a client that stops in the middle of a command is told BYE", async () => {
  await withServer(async (server) => {
    for (
      const half of ["a CREATE half", "a APPEND INBOX {10+}\r\nabc", "a SEARCH TEXT {4+}\r\nx"]
    ) {
      const c = await server.login("INBOX");
      c.send(half);
      assert.deepEqual(await toTheEnd(c), ["* BYE Inactive for too long"], half);
    }
  }, { times: { ...DEFAULT_TIMES, inCommandMs: 100 } });
});

Deno.test("what a refused command goes on sending costs no memory and is not run", async () => {
  await withServer(async (server) => {
    const c = await server.connect();
    c.send("a XNONE {1+}\r\n");
    for (let i = 0; i < 40; i++) c.send("!{1+}\r\n".repeat(5000));
    c.send("!\r\nb NOOP\r\n");
    const answer = await c.answer("a");
    assert.deepEqual([answer.status, answer.code], ["BAD", "TOOBIG"]);
    assert.equal((await c.answer("b")).status, "OK");
  });
});
