import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, encodeUtf8 } from "../../src/base/mod.ts";
import { MAX_FIELD_BYTES, MAX_FIELDS, MAX_PART_HEAD_BYTES } from "../../src/web/limits.ts";
import { MultipartError, readUpload } from "../../src/web/multipart.ts";

const TYPE = "multipart/form-data; boundary=----x";
const HEAD = 'Content-Disposition: form-data; name="file"; filename="a b.mbox"\r\n\r\n';

/** Reads a form in pieces of the given lengths, again and again. */
async function read(body: string | Uint8Array, lengths: readonly number[] = [7], type = TYPE) {
  const bytes = typeof body === "string" ? encodeUtf8(body) : body;
  async function* pieces() {
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const length = lengths[i % lengths.length] ?? 1;
      yield bytes.slice(at, at += length);
    }
  }
  const { fields, fileName, file } = await readUpload(type, pieces());
  const content: Uint8Array<ArrayBuffer>[] = [];
  if (fileName !== undefined) { for await (const piece of file) content.push(piece.slice()); }
  return { fields: Object.fromEntries(fields), fileName, content: concatBytes(content) };
}

function field(name: string, value: string): string {
  return `------x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

Deno.test("a form's fields and its file are read as they were sent, wherever they are cut", async () => {
  const octets = fc.array(
    fc.constantFrom(...["\r", "\n", "-", "--", "\r\n--", "------x", "x", "\0", "\xff", "text"]),
  ).map((parts) => Uint8Array.from(parts.join(""), (each) => each.charCodeAt(0)));
  const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(octets, lengths, fc.string(), async (content, lengths, text) => {
      const isDelimiterInside = (value: string) => `\r\n${value}`.includes("\r\n------x");
      fc.pre(!isDelimiterInside(text) && text.isWellFormed());
      fc.pre(!isDelimiterInside(String.fromCharCode(...content)));
      const body = concatBytes([
        encodeUtf8(`${field("mailbox", text)}------x\r\n${HEAD}`),
        content,
        encodeUtf8("\r\n------x--\r\n"),
      ]);
      const { fields, fileName, content: found } = await read(body, lengths);
      assert.deepEqual([fields, fileName, found], [{ mailbox: text }, "a b.mbox", content]);
    }),
  );
});

Deno.test("what browsers send is read: quoted boundaries, escaped names, no file, text before", async () => {
  const end = "------x--\r\n";
  assert.deepEqual((await read(`${field("a", "1")}${end}`)).fields, { a: "1" });
  assert.equal((await read(`${field("a", "1")}${end}`)).fileName, undefined);
  assert.deepEqual((await read(`preamble\r\n${field("a", "1")}${end}`)).fields, { a: "1" });
  const quoted = await read(
    `--x y\r\n${HEAD}1\r\n--x y--`,
    [3],
    'multipart/form-data; boundary="x y"',
  );
  assert.equal(quoted.content.length, 1);
  const escaped = `------x\r\n${HEAD.replace("a b", "%22ü%0D")}\r\n${end}`;
  assert.equal((await read(escaped)).fileName, '"ü\r.mbox');
});

Deno.test("what is no form, breaks off or has too much in it is refused", async () => {
  const end = "------x--\r\n";
  const bad: [string, string?][] = [
    ["", "text/plain"],
    ["", "multipart/form-data"],
    [""],
    [field("a", "1")],
    [`------x\r\n${HEAD}cut off`],
    [`------x\r\n${HEAD}cut off\r\n------`],
    [`------x\r\nContent-Disposition: form-data\r\n\r\n1\r\n${end}`],
    [`${field("a", "x".repeat(MAX_FIELD_BYTES + 1))}${end}`],
    [`${field("x".repeat(MAX_PART_HEAD_BYTES), "1")}${end}`],
    [`${Array.from({ length: MAX_FIELDS + 1 }, (_, i) => field(`${i}`, "1")).join("")}${end}`],
  ];
  for (const [body, type] of bad) {
    await assert.rejects(read(body, [100], type), MultipartError, body.slice(0, 80));
  }
  const most = Array.from(
    { length: MAX_FIELDS },
    (_, i) => field(`${i}`, "x".repeat(MAX_FIELD_BYTES)),
  );
  assert.equal(
    Object.keys((await read(`${most.join("")}${end}`, [1000])).fields).length,
    MAX_FIELDS,
  );
});
