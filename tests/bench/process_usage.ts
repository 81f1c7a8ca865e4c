/** What processes cost, read from Linux's /proc. */

/** Clock ticks of utime and stime in a second: fixed in Linux's interface. */
const TICKS_PER_SECOND = 100;

/** The process and all below it. */
function processTree(root: number): number[] {
  const found = [root];
  for (let i = 0; i < found.length; i++) {
    const pid = found[i]!;
    for (const task of taskIds(pid)) {
      const children = readText(`/proc/${pid}/task/${task}/children`);
      for (const child of children.split(" ")) if (child !== "") found.push(Number(child));
    }
  }
  return found;
}

function taskIds(pid: number): string[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
  } catch {
    return [];
  }
}

/** A process may be gone by the time it is looked at. */
function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** Processor seconds, user and system, of the process, those below it, and those that ended. */
export function cpuSeconds(root: number): number {
  let ticks = 0;
  for (const pid of processTree(root)) {
    const stat = readText(`/proc/${pid}/stat`);
    // Behind the name, which may hold anything: state is field 3, utime to cstime are 14 to 17.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    for (const field of fields.slice(11, 15)) ticks += Number(field);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Memory of the process and those below it, KiB; shared pages are counted once (PSS). */
export function memoryKib(root: number): number {
  let kib = 0;
  for (const pid of processTree(root)) {
    const match = /^Pss: +(\d+) kB/m.exec(readText(`/proc/${pid}/smaps_rollup`));
    kib += Number(match?.[1] ?? 0);
  }
  return kib;
}

/** Descriptors that the process has open; with `kind`, those of what begins so, such as "socket:". */
export function openFiles(pid: number, kind = ""): number {
  let count = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    try {
      if (Deno.readLinkSync(`/proc/${pid}/fd/${name}`).startsWith(kind)) count++;
    } catch {
      // Closed meanwhile.
    }
  }
  return count;
}
