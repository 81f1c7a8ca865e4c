/**
 * Runs a server the way its systemd unit would: in namespaces of its own for mounts and network, as
 * another user without groups, with nothing writable but what the unit names, with the capability
 * and the system calls that the unit allows. Needs root, unshare, setpriv and systemd-analyze;
 * systemd itself is not running here, so that the unit works in it is likely and not proven.
 */

const ROOT = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

export const SERVICE_UID = 64_321;
export const SERVICE_GID = 64_322;
/** The group of Postfix: owner of the folder of the LMTP socket. */
export const MAIL_GID = 64_323;

/** Why these conditions cannot be made here; undefined when they can. */
export function whyNot(): string | undefined {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "that needs root on Linux";
  const works = (command: string) =>
    new Deno.Command("sh", { args: ["-c", command], stdout: "null", stderr: "null" })
      .outputSync().success;
  if (!works("unshare --mount --net true")) return "namespaces cannot be made here";
  if (!works("setpriv --reuid=1 --clear-groups true")) return "there is no setpriv";
  if (!works("test -x /usr/bin/python3 && ldconfig -p | grep -q libseccomp.so.2")) {
    return "there is no libseccomp for Python";
  }
  return works("systemd-analyze --version") ? undefined : "there is no systemd-analyze";
}

/** The values of a setting in a unit, in their order. */
export function settings(unit: string, name: string): string[] {
  return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value = ""]) => value);
}

/** The system calls that `SystemCallFilter=` lines leave. */
export function allowedCalls(unit: string): string[] {
  const allowed = new Set<string>();
  for (const line of settings(unit, "SystemCallFilter")) {
    const isTaken = line.startsWith("~");
    for (const set of line.replace("~", "").split(" ")) {
      for (const call of expand(set)) {
        if (isTaken) allowed.delete(call);
        else allowed.add(call);
      }
    }
  }
  return [...allowed];
}

function expand(set: string): string[] {
  if (!set.startsWith("@")) return [set];
  const { stdout } = new Deno.Command("systemd-analyze", { args: ["syscall-filter", set] })
    .outputSync();
  return new TextDecoder().decode(stdout).split("\n").slice(1).map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#")).flatMap(expand);
}

export interface ServiceFolders {
  /** Holds all the others; its own modes let anybody pass. */
  readonly top: string;
  /** Shown to the service as /run. */
  readonly run: string;
  readonly data: string;
  readonly notifySocket: string;
}

/** The command that runs the unit's ExecStart under its conditions. */
export function serviceCommand(unit: string, folders: ServiceFolders): Deno.Command {
  const { top, run, data, notifySocket } = folders;
  const [start = ""] = settings(unit, "ExecStart");
  const [, ...args] = start.split(" ");
  const capabilities = settings(unit, "AmbientCapabilities").join(" ").toLowerCase()
    .replaceAll("cap_", "+").replaceAll(" ", ",");
  // The runtime and its cache are in root's home here, where the service may see nothing.
  const script = `
    set -e
    mount --make-rprivate /
    mkdir -p ${top}/cache ${top}/source/tests/support && touch ${top}/deno
    # A copy that others may read, whatever the modes of the checkout are.
    cp -r ${ROOT}/main.ts ${ROOT}/deno.json ${ROOT}/deno.lock ${ROOT}/src ${top}/source
    cp ${ROOT}/tests/support/seccomp_exec.py ${top}/source/tests/support
    chmod -R a+rX ${top}/source
    mkdir ${top}/cache/npm
    tar -C "$DENO_CACHE/npm" --mode=a+rX -c . | tar -C ${top}/cache/npm -x
    chown ${SERVICE_UID}:${SERVICE_GID} ${top}/cache
    mount --bind ${Deno.execPath()} ${top}/deno
    mount --bind / ${top}/root
    mount -o remount,bind,ro ${top}/root
    for folder in proc dev sys; do mount --rbind /$folder ${top}/root/$folder; done
    for folder in cache deno; do mount --bind ${top}/$folder ${top}/root${top}/$folder; done
    mount --bind ${top}/source ${top}/root${ROOT}
    mount --bind ${run} ${top}/root/run
    mount --bind ${data} ${top}/root${data}
    ip link set lo up
    umask ${settings(unit, "UMask")[0]}
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/nonexistent LANG=C.UTF-8 DENO_DIR=${top}/cache \\
      RUNTIME_DIRECTORY=/run/postern STATE_DIRECTORY=${data} NOTIFY_SOCKET=${notifySocket} \\
      chroot ${top}/root setpriv --reuid=${SERVICE_UID} --regid=${SERVICE_GID} --clear-groups \\
      --no-new-privs --bounding-set=-all,${capabilities} --inh-caps=${capabilities} \\
      --ambient-caps=${capabilities} \\
      /usr/bin/python3 ${ROOT}/tests/support/seccomp_exec.py ${allowedCalls(unit).join(",")} -- \\
      ${top}/deno ${args.join(" ")}`;
  return new Deno.Command("unshare", {
    args: ["--mount", "--net", "sh", "-c", script],
    env: { DENO_CACHE: denoCache() },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

function denoCache(): string {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

/** Runs a command in the network of a process. */
export function inNetworkOf(pid: number, command: string, ...args: string[]): Deno.Command {
  return new Deno.Command("nsenter", {
    args: ["--target", String(pid), "--net", "--", command, ...args],
    stdout: "piped",
    stderr: "piped",
  });
}
