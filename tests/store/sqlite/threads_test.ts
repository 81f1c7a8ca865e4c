import assert from "node:assert/strict";
import { box, bytesOf, liveRows, put } from "../fixture.ts";
import { withAccountFile } from "./account_fixture.ts";

function letter(fields: string): { bytes: Uint8Array } {
  return { bytes: bytesOf(`${fields}\r\nSubject: x\r\n\r\n\r\n`) };
}

Deno.test("answers share the thread of what they answer, whichever came first", () =>
  withAccountFile(async ({ account }) => {
    await put(account, "INBOX", letter("Message-ID: <1@x>"));
    await put(account, "INBOX", letter("Message-ID: <2@x>\r\nIn-Reply-To: <1@x>"));
    await put(account, "INBOX", letter("Message-ID: <4@x>\r\nReferences: <1@x> <3@x>"));
    // The one in between arrives last.
    await put(account, "INBOX", letter("Message-ID: <3@x>\r\nReferences: <2@x>"));
    await put(account, "INBOX", letter("Message-ID: <other@x>"));
    await put(account, "INBOX", letter("X-None: 1"), letter("X-None: 1"));
    const rows = await liveRows(account, (await box(account, "INBOX")).id);
    const threads = rows.map(({ threadId }) => threadId);
    assert.equal(new Set(threads.slice(0, 4)).size, 1);
    assert.equal(new Set(threads.slice(3)).size, 4);
    assert.equal(new Set(rows.map(({ emailId }) => emailId)).size, 7);
    for (const id of [...threads, ...rows.map(({ emailId }) => emailId)]) {
      assert.match(id, /^[A-Za-z][A-Za-z0-9_-]{0,254}$/);
    }
  }));
