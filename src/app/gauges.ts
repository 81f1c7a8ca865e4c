import { statfsSync } from "node:fs";
import process from "node:process";
import { type Clock, metrics, VERSION } from "../base/mod.ts";
import type { MailQueue } from "../store/mod.ts";
import type { AccountUsage } from "./account_usage.ts";

export interface GaugeSources {
  readonly queue: MailQueue;
  readonly usage: AccountUsage;
  readonly dataDir: string;
  readonly clock: Clock;
}

/** Processor time that was counted already, in seconds. */
let countedCpuSeconds = 0;

/** Measures what is not counted as it happens. Rejects when the queue cannot be read. */
export async function measureGauges({ queue, usage, dataDir, clock }: GaugeSources): Promise<void> {
  const { messages, oldest } = await queue.summary();
  metrics.set("postern_queue_length", {}, messages);
  const age = oldest === undefined ? 0 : Math.max(0, clock.now() / 1000 - oldest);
  metrics.set("postern_queue_oldest_age_seconds", {}, age);
  measureAccounts(usage);
  const disk = diskOf(dataDir);
  if (disk) {
    metrics.set("postern_disk_free_bytes", {}, disk.freeBytes);
    metrics.set("postern_disk_size_bytes", {}, disk.totalBytes);
  }
  const { rss, heapUsed } = Deno.memoryUsage();
  metrics.set("postern_process_resident_memory_bytes", {}, rss);
  metrics.set("postern_process_heap_bytes", {}, heapUsed);
  const { user, system } = process.cpuUsage();
  const cpuSeconds = (user + system) / 1e6;
  metrics.add("postern_process_cpu_seconds_total", undefined, cpuSeconds - countedCpuSeconds);
  countedCpuSeconds = cpuSeconds;
  const startSeconds = Math.round(performance.timeOrigin / 1000);
  metrics.set("postern_process_start_time_seconds", {}, startSeconds);
  metrics.set("postern_build_info", { version: VERSION, deno: Deno.version.deno }, 1);
}

function measureAccounts({ quotas }: AccountUsage): void {
  // Until they were asked, nothing is known.
  if (quotas.size === 0) return;
  let bytes = 0;
  let messages = 0;
  for (const { usedBytes, usedMessages } of quotas.values()) {
    bytes += usedBytes;
    messages += usedMessages;
  }
  metrics.set("postern_accounts", {}, quotas.size);
  metrics.set("postern_storage_bytes", {}, bytes);
  metrics.set("postern_messages", {}, messages);
}

/** Of the file system that the folder is on; undefined where the system does not tell. */
export function diskOf(folder: string): { freeBytes: number; totalBytes: number } | undefined {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    return undefined;
  }
}
