import assert from "node:assert/strict";
import {
  DELAY_NOTICE_SECONDS,
  MAX_RELAY_CONNECTIONS,
  QUEUE_LIFE_SECONDS,
} from "../../src/delivery/limits.ts";
import { NOW } from "./house.ts";
import type { RawClient } from "./raw_client.ts";
import { RelaySink } from "./relay_sink.ts";
import { SubmissionHouse } from "./submission_house.ts";

const MESSAGE = "From: alice@example.org\r\nTo: eve@far.example\r\nSubject: hello\r\n" +
  "Date: Tue, 24 Nov 2026 11:00:00 +0100\r\nMessage-ID: <1@example.org>\r\n\r\nworld\r\n.dot\r\n";

async function send(client: RawClient, to: readonly string[], from = "alice@example.org") {
  assert.match(await client.ask(`MAIL FROM:<${from}>`), /^250 /);
  for (const each of to) assert.match(await client.ask(`RCPT TO:<${each}>`), /^250 /);
  assert.match(await client.ask("DATA"), /^354 /);
  client.send(MESSAGE.replace(/^\./gm, ".."));
  return await client.ask(".");
}

async function isEmpty(house: SubmissionHouse): Promise<boolean> {
  return await house.queue.nextDue() === undefined;
}

Deno.test("mail for others goes out through the relay, one message for all of them", async () => {
  await using sink = await RelaySink.open();
  await using house = await SubmissionHouse.open({ relay: sink.options });
  const client = await house.connectTls("alice");
  assert.match(
    await send(client, ["eve@far.example", "bob@example.org", "mallory@else.example"]),
    /^250 2\.6\.0 /,
  );
  assert.equal((await house.inbox("bob")).length, 1);
  await house.until(() => isEmpty(house));
  const [relayed, ...more] = sink.messages;
  assert.deepEqual(more, []);
  assert.equal(relayed?.from, "alice@example.org");
  assert.deepEqual(relayed?.to, ["eve@far.example", "mallory@else.example"]);
  assert.match(
    relayed?.text ?? "",
    /^Received: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby mail\.example\.org with ESMTPSA id [0-9a-f]{16};\r\n\tTue, 24 Nov 2026 12:00:00 \+0000\r\nFrom: /,
  );
  assert.ok(relayed?.text.endsWith(MESSAGE));
});

Deno.test("connections to the relay are used again", async () => {
  await using sink = await RelaySink.open();
  await using house = await SubmissionHouse.open({ relay: sink.options });
  const client = await house.connectTls("alice");
  for (let i = 0; i < 12; i++) await send(client, [`eve${i}@far.example`]);
  await house.until(() => isEmpty(house));
  assert.equal(sink.messages.length, 12);
  assert.ok(sink.connections <= MAX_RELAY_CONNECTIONS, `${sink.connections} connections`);
});

Deno.test("a recipient refused for good is reported to the sender, the others have the message", async () => {
  await using sink = await RelaySink.open();
  sink.refuse = (to) => to.startsWith("eve") ? "550 5.1.1 Nobody of that name" : undefined;
  await using house = await SubmissionHouse.open({ relay: sink.options });
  const client = await house.connectTls("alice");
  await send(client, ["eve@far.example", "mallory@far.example"]);
  await house.until(() => isEmpty(house));
  assert.deepEqual(sink.messages.map(({ to }) => to), [["mallory@far.example"]]);
  const [report = "", ...more] = await house.inbox("alice");
  assert.deepEqual(more, []);
  assert.match(
    report,
    /^Return-Path: <>\r\nDelivered-To: alice@example\.org\r\nFrom: Mail Delivery System <mailer-daemon@mail\.example\.org>\r\n/,
  );
  assert.match(report, /\r\nAuto-Submitted: auto-replied\r\n/);
  assert.match(report, /\r\nContent-Type: multipart\/report; report-type=delivery-status;\r\n/);
  assert.match(
    report,
    /\r\n\r\nReporting-MTA: dns; mail\.example\.org\r\n\r\nFinal-Recipient: rfc822; eve@far\.example\r\nAction: failed\r\nStatus: 5\.1\.1\r\nDiagnostic-Code: smtp; 550 5\.1\.1 Nobody of that name\r\n/,
  );
  assert.match(report, /\r\nContent-Type: text\/rfc822-headers\r\n[^]*\r\nSubject: hello\r\n/);
  assert.doesNotMatch(report, /mallory|world/);
});

Deno.test("each recipient's own answer counts, however the address is written", async () => {
  await using sink = await RelaySink.open();
  sink.refuse = (to) => /eve|kim/i.test(to) ? "550 5.1.1 Nobody of that name" : undefined;
  await using house = await SubmissionHouse.open({ relay: sink.options });
  const client = await house.connectTls("alice");
  await send(client, [
    ...["Eve@FAR.Example", "kim@xn--bcher-kva.example", "ann@bücher.example", "bob.b@FAR.example"],
  ]);
  await house.until(() => isEmpty(house));
  assert.deepEqual(sink.messages.map(({ to }) => to), [[
    "ann@bücher.example",
    "bob.b@far.example",
  ]]);
  const [report = ""] = await house.inbox("alice");
  assert.match(report, /^Final-Recipient: rfc822; Eve@FAR\.Example\r$/m);
  assert.match(report, /^Final-Recipient: utf-8; kim@bücher\.example\r$/m);
});

Deno.test("a message larger than the relay takes is reported at once", async () => {
  await using sink = await RelaySink.open({ size: 100 });
  await using house = await SubmissionHouse.open({ relay: sink.options });
  const client = await house.connectTls("alice");
  await send(client, ["eve@far.example"]);
  await house.until(() => isEmpty(house));
  assert.match((await house.inbox("alice"))[0] ?? "", /Action: failed/);
});

Deno.test("nobody is told of a message without sender that fails", async () => {
  await using sink = await RelaySink.open();
  sink.refuseMessage = () => "554 5.7.1 No";
  await using house = await SubmissionHouse.open({ relay: sink.options });
  const client = await house.connectTls("alice");
  await send(client, ["eve@far.example"], "");
  await house.until(() => isEmpty(house));
  assert.deepEqual(await house.inbox("alice"), []);
});

Deno.test("what is refused for now is tried again, later and later, and in the end reported", async () => {
  await using sink = await RelaySink.open();
  sink.refuse = () => "451 4.7.1 Not yet";
  await using house = await SubmissionHouse.open({ relay: sink.options });
  const client = await house.connectTls("alice");
  await send(client, ["eve@far.example"]);
  const waits: number[] = [];
  const start = NOW / 1000;
  for (let attempts = 1; !await isEmpty(house); attempts++) {
    await house.until(async () => {
      const [message] = await house.queue.list();
      return message === undefined || message.recipients[0]?.attempts === attempts;
    });
    const [message] = await house.queue.list();
    const [recipient] = message?.recipients ?? [];
    if (!recipient) break;
    assert.equal(recipient.lastError, "451 4.7.1 Not yet");
    waits.push(recipient.due - house.time / 1000);
    house.time = recipient.due * 1000;
    house.runner.wake();
  }
  assert.deepEqual(waits.slice(0, 7), [60, 300, 900, 1800, 3600, 7200, 14_400]);
  assert.equal(house.time / 1000 - start, QUEUE_LIFE_SECONDS);
  const [notice = "", report = ""] = await house.inbox("alice");
  assert.match(notice, /^Action: delayed\r$/m);
  assert.match(report, /Status: 4\.4\.7\r\nDiagnostic-Code: smtp; 451 4\.7\.1 Not yet\r\n/);
});

Deno.test("a relay that is away, wrong or not to be trusted loses nothing", async () => {
  await using sink = await RelaySink.open();
  const problems = [
    { ...sink.options, port: 1 },
    { ...sink.options, caCertificates: undefined },
    { ...sink.options, credentials: { username: "mailer", password: "wrong" } },
  ];
  for (const relay of problems) {
    await using house = await SubmissionHouse.open({ relay });
    const client = await house.connectTls("alice");
    assert.match(await send(client, ["eve@far.example"]), /^250 /);
    await house.until(async () => {
      const [message] = await house.queue.list();
      return message?.recipients[0]?.attempts === 1;
    });
    assert.deepEqual(await house.inbox("alice"), []);
  }
  assert.deepEqual(sink.messages, []);
});

Deno.test("stopping does not wait for a relay that does not answer, and the message stays", async () => {
  await using sink = await RelaySink.open();
  const isThere = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  sink.hold = () => {
    isThere.resolve();
    return end.promise;
  };
  await using house = await SubmissionHouse.open({ relay: sink.options });
  const client = await house.connectTls("alice");
  await send(client, ["eve@far.example"]);
  await isThere.promise;
  const started = performance.now();
  await house.runner.stop();
  assert.ok(performance.now() - started < 2000);
  const [message] = await house.queue.list();
  assert.equal(message?.recipients[0]?.attempts, 0, "the attempt does not count");
  end.resolve();
});

Deno.test("a queue without relay waits, and mail for those here leaves it", async () => {
  await using house = await SubmissionHouse.open({ hasRelay: true });
  const client = await house.connectTls("alice");
  await send(client, ["eve@far.example"]);
  const content = async function* () {
    yield new TextEncoder().encode(MESSAGE);
  };
  await house.queue.add({
    sender: "alice@example.org",
    queued: 0,
    expires: NOW,
    isUtf8: false,
    recipients: ["bob@example.org", "gone@example.org"].map((address) => ({
      address,
      due: 0,
      lastError: "",
    })),
  }, content());
  house.runner.wake();
  await house.until(async () => (await house.queue.list()).length === 1);
  await house.until(async () => (await house.queue.list())[0]?.recipients[0]?.attempts === 1);
  const [text = ""] = await house.inbox("bob");
  assert.equal(
    text,
    `Return-Path: <alice@example.org>\r\nDelivered-To: bob@example.org\r\n${MESSAGE}`,
  );
  assert.match((await house.inbox("alice"))[0] ?? "", /Final-Recipient: rfc822; gone@example\.org/);
});

Deno.test("what needs SMTPUTF8 goes out with it, and is reported where the relay does not take it", async () => {
  for (const hideSMTPUTF8 of [false, true]) {
    await using sink = await RelaySink.open({ hideSMTPUTF8 });
    await using house = await SubmissionHouse.open({ relay: sink.options });
    const client = await house.connectTls("alice");
    const submit = async (subject: string, to: readonly string[]) => {
      assert.match(
        await client.ask("MAIL FROM:<alice@example.org> BODY=8BITMIME SMTPUTF8"),
        /^250/,
      );
      for (const each of to) assert.match(await client.ask(`RCPT TO:<${each}>`), /^250 /);
      assert.match(await client.ask("DATA"), /^354 /);
      assert.match(await client.ask(MESSAGE.replace("hello", subject) + "."), /^250 /);
      await house.until(() => isEmpty(house));
      const [message, ...more] = sink.messages.splice(0);
      assert.deepEqual(more, []);
      return message;
    };
    // Delta Chat asks for it with every message.
    const plain = await submit("plain", ["eve@bücher.example"]);
    assert.equal(plain?.isUtf8, false);
    assert.deepEqual(plain?.to, ["eve@bücher.example"], "the sink has read it from ASCII");
    const header = await submit("Grüße", ["eve@far.example"]);
    const both = await submit("plain", ["jürgen@far.example"]);
    const reports = (await house.inbox("alice")).map((text) => /^Status: (.*)\r$/m.exec(text)?.[1]);
    if (hideSMTPUTF8) {
      assert.deepEqual([header, both], [undefined, undefined]);
      assert.deepEqual(reports, ["5.6.9", "5.6.7"]);
    } else {
      assert.equal(header?.isUtf8, true);
      assert.match(header?.text ?? "", /^Subject: Grüße\r$/m);
      assert.equal(both?.isUtf8, true);
      assert.deepEqual(both?.to, ["jürgen@far.example"]);
      assert.deepEqual(reports, []);
    }
    client.destroy();
  }
});

Deno.test("one recipient with an address beyond ASCII does not keep a message from the others", async () => {
  await using sink = await RelaySink.open({ hideSMTPUTF8: true });
  await using house = await SubmissionHouse.open({ relay: sink.options });
  const client = await house.connectTls("alice");
  assert.match(await client.ask("MAIL FROM:<alice@example.org> SMTPUTF8"), /^250 /);
  for (const to of ["jürgen@far.example", "eve@far.example"]) await client.ask(`RCPT TO:<${to}>`);
  await client.ask("DATA");
  assert.match(await client.ask(MESSAGE + "."), /^250 /);
  await house.until(() => isEmpty(house));
  assert.deepEqual(sink.messages.map(({ to }) => to), [["eve@far.example"]]);
  const [report = "", ...more] = await house.inbox("alice");
  assert.deepEqual(more, []);
  assert.match(
    report,
    /^Final-Recipient: utf-8; jürgen@far\.example\r\nAction: failed\r\nStatus: 5\.6\.7\r$/m,
  );
});

Deno.test("a sender hears once, after four hours, that a message is late", async () => {
  await using sink = await RelaySink.open();
  await using house = await SubmissionHouse.open({ relay: sink.options });
  sink.refuse = () => "451 4.7.1 Greylisted";
  const client = await house.connectTls("alice");
  await send(client, ["eve@far.example", "mallory@far.example"]);
  const attempt = async (seconds: number) => {
    const attempts = async () => (await house.queue.list())[0]?.recipients[0]?.attempts ?? -1;
    const before = await attempts();
    house.time = NOW + seconds * 1000;
    await house.queue.retry();
    house.runner.wake();
    await house.until(async () => await attempts() > before);
    // What comes after the attempt is noted.
    await new Promise((resolve) => setTimeout(resolve, 30));
    return (await house.inbox("alice")).length;
  };
  await house.until(async () => (await house.queue.list())[0]?.recipients[0]?.attempts === 1);
  assert.equal(await attempt(DELAY_NOTICE_SECONDS - 1), 0);
  assert.equal(await attempt(DELAY_NOTICE_SECONDS), 1);
  assert.equal(await attempt(DELAY_NOTICE_SECONDS * 2), 1);
  const [report = ""] = await house.inbox("alice");
  assert.match(report, /^Subject: Your message is late\r$/m);
  assert.match(
    report,
    /^Final-Recipient: rfc822; eve@far\.example\r\nAction: delayed\r\nStatus: 4\.7\.1\r\nDiagnostic-Code: smtp; 451 4\.7\.1 Greylisted\r\nWill-Retry-Until: Thu, 26 Nov 2026 12:00:00 \+0000\r\n\r\nFinal-Recipient: rfc822; mallory/m,
  );
});
