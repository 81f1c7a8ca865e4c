/**
 * app: the composition root, where a command line becomes a running program. Laws: the only room
 * that knows an engine, and the only one that reads the configuration, the environment and the
 * command line; every failure ends as one line that says why and what to do; a command does the
 * same whether the server runs or not; no secret is printed but a generated password, once.
 */
export { run } from "./cli.ts";
