import { command, LOGGED_IN } from "../command.ts";
import type { Extension } from "../extension.ts";
import { bad, no } from "../imap_error.ts";

/** COMPRESS DEFLATE (RFC 4978 3). The tagged OK is the last that goes out uncompressed. */
const compressCommand = command({
  name: "COMPRESS",
  states: LOGGED_IN,
  rfc: "RFC 4978 3",
  catchUp: "none",
  parse(reader) {
    reader.space();
    return reader.word();
  },
  run(session, algorithm) {
    if (algorithm !== "DEFLATE") throw bad("Unknown compression algorithm");
    if (session.facts.isCompressed) throw no("Compression is on already", "COMPRESSIONACTIVE");
    session.startCompression();
    return { text: "Compression begins" };
  },
});

/** Compression of the connection (RFC 4978); `net/` keeps it cheap while idle. */
export const compress: Extension = {
  rfc: [4978],
  title: "COMPRESS=DEFLATE: a compressed connection",
  capabilities: [{
    name: "COMPRESS=DEFLATE",
    when: "afterLogin",
    if: ({ facts }) => !facts.isCompressed,
  }],
  commands: [compressCommand],
};
