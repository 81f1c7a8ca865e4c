import { networksOverlap, readNetwork } from "../../src/app/network_names.ts";
import { Authenticator, Gate, makeVerifier } from "../../src/auth/mod.ts";
import type { Account, HistoryLog, Quota } from "../../src/store/mod.ts";
import type { AccountId } from "../../src/base/mod.ts";
import { openSqliteHistory, openSqliteLoginLog } from "../../src/store/sqlite/engine.ts";
import {
  handleWebRequest,
  type OpenedSite,
  openSite,
  type RequestFacts,
} from "../../src/web/mod.ts";
import { ModelQueue } from "../store/model_queue.ts";
import { ModelStore } from "../store/model_store.ts";
import { memoryTlsFacts } from "../support/memory_transport.ts";
import { TEST_COSTS } from "../support/server.ts";
import { FakeHost } from "./fake_host.ts";

export const PASSWORD = 'correct "horse" \\ battery';
export const ADMIN_PASSWORD = "admin of the house";
/** As `config show` prints it. */
export const CONFIGURATION = 'hostname = "mail.example.org"\n\n[relay]\npassword = "(hidden)"\n';
export const HOSTNAME = "mail.example.org";

/** 2026-11-24T12:00:00Z */
export const NOW = Date.UTC(2026, 10, 24, 12);

/** Octets of a file that is sent, in tests. */
export const MAX_UPLOAD_BYTES = 1024 * 1024;

const FACTS: RequestFacts = {
  remote: { address: "192.0.2.7" },
  local: { address: "192.0.2.1" },
  tls: memoryTlsFacts({ alpn: "http/1.1", sni: HOSTNAME }),
};

/** The site with alice@example.org, bob@example.org and an admin; NOW stands still. */
export class SiteHouse implements AsyncDisposable {
  time = NOW;
  readonly clock = { now: () => this.time };
  readonly store = new ModelStore(this.clock);
  readonly host = new FakeHost();
  readonly queue = new ModelQueue();
  readonly gate = new Gate(this.clock);
  readonly loginLog;
  /** What is known of accounts without asking them. */
  readonly quotas = new Map<AccountId, Quota>();
  readonly uploads: string;
  readonly retention: string[] = [];
  readonly #folder: string;
  #site: OpenedSite | undefined;

  private constructor(folder: string, readonly history: HistoryLog) {
    this.#folder = folder;
    this.uploads = `${folder}/uploads`;
    this.loginLog = openSqliteLoginLog({ dataDir: folder, clock: this.clock });
  }

  /** `before` prepares the folder of uploads. */
  static async open(
    { before, keepsHistory = true }: {
      before?: (uploads: string) => Promise<void>;
      keepsHistory?: boolean;
    } = {},
  ): Promise<SiteHouse> {
    const folder = await Deno.makeTempDir({ prefix: "postern-site-" });
    const house = new SiteHouse(folder, await openSqliteHistory(folder));
    await before?.(house.uploads);
    const { store, clock } = house;
    const { directory } = store;
    await directory.addDomain("example.org");
    for (const name of ["alice", "bob"]) {
      await directory.addAccount(`${name}@example.org`, await makeVerifier(PASSWORD, TEST_COSTS));
    }
    await directory.setAdminVerifier(await makeVerifier(ADMIN_PASSWORD, TEST_COSTS));
    const authenticator = new Authenticator(directory, clock, {
      allowPlaintext: false,
      gate: house.gate,
      costs: TEST_COSTS,
      sleep: async () => {},
    });
    house.#site = await openSite({
      ...{ hostname: HOSTNAME, host: house.host, store, authenticator, clock },
      ...{ gate: house.gate, loginLog: house.loginLog, queue: house.queue },
      history: keepsHistory ? house.history : undefined,
      quotas: () => house.quotas,
      networks: { read: readNetwork, overlap: networksOverlap },
      configuration: CONFIGURATION,
      capabilities: ["CONDSTORE", "IDLE", "NOTIFY", "UIDONLY"],
      retention: () => house.retention,
      uploads: { folder: house.uploads, maxBytes: MAX_UPLOAD_BYTES },
      passwordCosts: TEST_COSTS,
    });
    return house;
  }

  async account(name: string): Promise<Account> {
    const account = await this.store.directory.resolveAddress(`${name}@example.org`);
    if (!account) throw new Error(`no account ${name}`);
    return account;
  }

  /** What the site says to a request, as the server would ask it. */
  async answer(request: Request, facts: Partial<RequestFacts> = {}): Promise<Response> {
    return await this.#site?.answer(request, { ...FACTS, ...facts }) ??
      handleWebRequest(request, { hostname: HOSTNAME });
  }

  /** A browser without scripts. */
  visitor(
    facts: Partial<RequestFacts> = {},
    headers: Readonly<Record<string, string>> = {},
  ): Visitor {
    return new Visitor(this, facts, headers);
  }

  /** As when the server stops. */
  async closeSite(): Promise<void> {
    await this.#site?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeSite();
    await this.loginLog.close();
    await this.history.close();
    await this.store.close();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** A browser that keeps cookies, follows redirects after forms, and runs no script. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #house: SiteHouse;
  readonly #facts: Partial<RequestFacts>;

  readonly #headers: Readonly<Record<string, string>>;

  /** It sends `headers` with each request. */
  constructor(
    house: SiteHouse,
    facts: Partial<RequestFacts>,
    headers: Readonly<Record<string, string>>,
  ) {
    this.#house = house;
    this.#facts = facts;
    this.#headers = headers;
  }

  async get(path: string): Promise<Page> {
    return await this.#send(path, {});
  }

  /** Sends a form, and then sees the page that it leads to. */
  async post(path: string, fields: Readonly<Record<string, string>> | FormData): Promise<Page> {
    const body = fields instanceof FormData ? fields : new URLSearchParams(fields);
    return await this.#send(path, {
      method: "POST",
      body,
      headers: { "sec-fetch-site": "same-origin" },
    });
  }

  async logIn(name: string, password: string = PASSWORD): Promise<Page> {
    return await this.post("/account/login", { address: `${name}@example.org`, password });
  }

  async logInAsAdmin(password: string = ADMIN_PASSWORD): Promise<Page> {
    return await this.post("/admin/login", { password });
  }

  async #send(path: string, init: RequestInit): Promise<Page> {
    const headers = new Headers({ ...this.#headers, ...init.headers as Record<string, string> });
    headers.set("host", HOSTNAME);
    headers.set("cookie", [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const request = new Request(`https://${HOSTNAME}${path}`, { ...init, headers });
    const response = await this.#house.answer(request, this.#facts);
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (/max-age=0/i.test(cookie)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (response.status === 303 && location !== null) return await this.get(location);
    return {
      path,
      status: response.status,
      headers: response.headers,
      html: await response.text(),
    };
  }
}

export interface Page {
  /** Where redirects led to. */
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
}
