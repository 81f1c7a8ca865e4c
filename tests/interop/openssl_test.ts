import assert from "node:assert/strict";
import { PASSWORD, USER } from "../support/server.ts";
import { certificateFile, programTest, run } from "./programs.ts";

const COMMANDS = `a LOGIN ${USER} "${PASSWORD}"\r\nb STATUS INBOX (MESSAGES)\r\nc LOGOUT\r\n`;

for (
  const { name, starttls } of [
    { name: "openssl s_client speaks over TLS, verified, with ALPN", starttls: false },
    { name: "openssl s_client speaks after STARTTLS, verified", starttls: true },
  ]
) {
  programTest(name, ["openssl"], async (bench) => {
    const { server, folder } = bench;
    const port = starttls ? server.port : server.tlsPort;
    const { stdout, stderr } = await run(folder, "openssl", [
      "s_client",
      ...starttls ? ["-starttls", "imap"] : ["-alpn", "imap"],
      "-connect",
      `127.0.0.1:${port}`,
      "-CAfile",
      await certificateFile(bench),
      "-verify_return_error",
      "-verify_hostname",
      "localhost",
      "-ign_eof",
      "-nocommands",
    ], COMMANDS);
    assert.match(stdout, /Verification: OK|Verify return code: 0 \(ok\)/, stderr);
    if (!starttls) assert.match(stdout, /ALPN protocol: imap/);
    assert.match(stdout, /\* STATUS "?INBOX"? \(MESSAGES 0\)\r\nb OK/);
    assert.match(stdout, /\* BYE .*\r\nc OK/);
  });
}
