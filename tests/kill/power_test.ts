import { failPower, record } from "./power.ts";

const isRecordable = Deno.build.os === "linux" && await hasStrace();

async function hasStrace(): Promise<boolean> {
  try {
    return (await new Deno.Command("strace", { args: ["-V"], stdout: "null" }).output()).success;
  } catch {
    return false;
  }
}

Deno.test({
  // Recorded with strace, which CI installs (tests/interop/packages.txt).
  name: "whatever a power failure leaves of the files, all that was acknowledged is in them",
  ignore: !isRecordable,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "postern-power-" });
    try {
      await failPower(await record(folder), folder, 40, Date.now() % 1e6);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
