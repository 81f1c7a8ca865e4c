import type { Challenges } from "../acme/mod.ts";
import type { Registration } from "../chatmail/mod.ts";
import type { Network, Transport } from "../net/mod.ts";
import {
  AutoconfigPage,
  ChatmailPages,
  handleWebRequest,
  type OpenedSite,
  openSite,
  readRequestFacts,
  type SiteServices,
} from "../web/mod.ts";
import type { Config } from "./config/config.ts";
import { mailServices } from "./mail_services.ts";
import { requestFacts, siteFacts } from "./site_services.ts";

export interface WebsiteServices
  extends Omit<SiteServices, "hostname" | "capabilities" | "retention" | "uploads" | "networks"> {
  readonly challenges: Challenges;
  /** Where accounts make themselves. */
  readonly newcomers: Registration | undefined;
}

/** All that the web route answers: who validates names, who logs in, who looks for a mail account. */
export class Website {
  readonly #challenges: Challenges;
  readonly #site: OpenedSite;
  readonly #pages: ChatmailPages | AutoconfigPage;
  readonly #hostname: string;
  readonly #proxies: readonly Network[];

  private constructor(config: Config, services: WebsiteServices, site: OpenedSite) {
    const { hostname, listeners, webProxies } = config;
    const { challenges, newcomers, store, clock } = services;
    const ways = mailServices(listeners);
    this.#challenges = challenges;
    this.#site = site;
    this.#pages = newcomers
      ? new ChatmailPages(newcomers, ways, clock)
      : new AutoconfigPage(store.directory, hostname, ways);
    this.#hostname = hostname;
    this.#proxies = webProxies;
  }

  static async open(config: Config, services: WebsiteServices): Promise<Website> {
    return new Website(config, services, await openSite({ ...siteFacts(config), ...services }));
  }

  /** The answer to a request that came on the connection. */
  async answer(request: Request, { facts }: Pick<Transport, "facts">): Promise<Response> {
    const asked = readRequestFacts(request, requestFacts(facts, this.#proxies));
    return this.#challenges.answer(request) ??
      await this.#site.answer(request, asked) ??
      await this.#pages.answer(request, asked.remote.address) ??
      handleWebRequest(request, { hostname: this.#hostname });
  }

  /** Ends what pages have begun. Never rejects. */
  async close(): Promise<void> {
    await this.#site.close();
  }
}
