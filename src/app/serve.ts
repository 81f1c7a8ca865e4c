import { logger, metrics, openTracing, systemClock } from "../base/mod.ts";
import { needPlausibleClock } from "./clock_check.ts";
import { toConfig } from "./config/config.ts";
import { type LoadedFile, readConfigFile } from "./config/load.ts";
import { writeConfig } from "./config/show.ts";
import { UsageError } from "./failure.ts";
import { LogControl } from "./log.ts";
import { sdNotify } from "./sd_notify.ts";
import { type Server, startServer } from "./server.ts";
import { describeError } from "./describe_error.ts";
import { stopSignal } from "./signals.ts";
import { printLine } from "./terminal.ts";

const log = logger("app");

/**
 * Runs the server that a configuration file describes until it is told to stop. `onReady` is called
 * when every listener is up and "ready" was printed.
 */
export async function serve(file: LoadedFile, onReady?: (server: Server) => void): Promise<void> {
  const config = toConfig(file);
  if (config.listeners.length === 0) {
    throw new UsageError(`${file.file}: expected at least one [[listener]], found none`);
  }
  needPlausibleClock(systemClock);
  const logControl = await LogControl.open(config.log);
  outliveMistakes();
  await openTracing();
  // Heard from here on, so that a signal during the start is not lost.
  const stop = stopSignal();
  const server = await startServer(config, logControl, writeConfig(file));
  const stopReloading = onHangUp(() => reload(server, logControl, file.file));
  for (const { kind, address } of server.listeners) printLine(`listening ${kind} ${address}`);
  printLine("ready");
  onReady?.(server);
  await tellSystemd("READY=1");
  log.info("stopping: {signal}", { signal: await stop });
  stopReloading();
  await tellSystemd("STOPPING=1");
  await server.stop();
}

/** A mistake of ours on one connection must not end everybody's: it is logged with its stack. */
function outliveMistakes(): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    metrics.panic(event.reason, "app");
    log.error("this should not have happened: {error}", { error: event.reason });
  });
}

async function reload(server: Server, logControl: LogControl, file: string): Promise<void> {
  try {
    const config = toConfig(await readConfigFile(file));
    const waiting = await server.reload(config);
    await logControl.reload(config.log);
    log.info("configuration and certificates were read again");
    for (const key of waiting) {
      log.warn("{key} changed: restart the server for it to take effect", { key });
    }
  } catch (error) {
    const { message } = describeError(error);
    log.error("nothing was changed, the configuration cannot be used: {message}", { message });
  }
}

async function tellSystemd(state: string): Promise<void> {
  try {
    await sdNotify(state);
  } catch (error) {
    log.warn("systemd could not be told {state}: {error}", { state, error });
  }
}

/** Calls `act` at each SIGHUP, one after the other; gives the function that ends it. */
function onHangUp(act: () => Promise<void>): () => void {
  if (Deno.build.os === "windows") return () => {};
  let running = Promise.resolve();
  const listener = () => {
    running = running.then(act);
  };
  Deno.addSignalListener("SIGHUP", listener);
  return () => Deno.removeSignalListener("SIGHUP", listener);
}
