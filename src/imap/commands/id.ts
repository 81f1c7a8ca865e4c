import { encodeUtf8, VERSION } from "../../base/mod.ts";
import { type Reader, WireError } from "../../wire/mod.ts";
import { ANY_STATE, command } from "../command.ts";
import { MAX_ID_FIELD_BYTES, MAX_ID_PAIRS, MAX_ID_VALUE_BYTES } from "../limits.ts";

/**
 * `ID NIL` or `ID ("field" "value" "field" NIL …)`. Looser than RFC 2971 4 in nothing; over its
 * limits, or with a field twice, is BAD. Before login the answer is NIL: strangers are not told what
 * runs here.
 */
export const idCommand = command({
  name: "ID",
  states: ANY_STATE,
  rfc: "RFC 2971 3.1",
  catchUp: "all",
  parse: readParameters,
  run: (session, userAgent) => {
    const { login, out } = session;
    if (userAgent !== "") session.identify(userAgent);
    if (!login) return out.untagged("ID NIL");
    out.writer.raw("* ID ").list(["name", "Postern", "version", VERSION], (value) => {
      out.writer.string(value);
    }).crlf();
  },
});

/** Fields and values in the order in which they came, `name="x" version="1"`; "" for none. */
function readParameters(reader: Reader): string {
  reader.space();
  if (reader.tryExactWord("NIL")) return "";
  const fields = new Map<string, string>();
  reader.list(() => {
    const field = reader.string();
    reader.space();
    const value = reader.nstring() ?? "";
    if (fields.size === MAX_ID_PAIRS) throw new WireError("Too many ID fields");
    if (encodeUtf8(field).length > MAX_ID_FIELD_BYTES) throw new WireError("ID field is too long");
    if (encodeUtf8(value).length > MAX_ID_VALUE_BYTES) throw new WireError("ID value is too long");
    if (fields.has(field.toLowerCase())) throw new WireError("ID field is given twice");
    fields.set(field.toLowerCase(), value);
  }, 0);
  return [...fields].map(([field, value]) => `${field}="${value}"`).join(" ");
}
