import { raw } from "hono/html";
import type { Child, FC } from "hono/jsx";

/** A link of the navigation. */
export interface NavLink {
  readonly href: string;
  readonly text: string;
}

interface LayoutProps {
  readonly title: string;
  /** Whose site it is, beside the title of each page. */
  readonly site: string;
  /** Path of the page, to mark it in the navigation. */
  readonly path: string;
  readonly nav?: readonly NavLink[];
  /** Where "Log out" is posted to; left out where nobody is logged in. */
  readonly logOut?: string;
  /** Who is logged in. */
  readonly visitor?: string;
  /** Scripts of this page, by their path: it must work without them. */
  readonly scripts?: readonly string[];
  /** Style sheets beside the common one. */
  readonly styles?: readonly string[];
  /** After how many seconds a browser without scripts asks again, where something goes on. */
  readonly refreshSeconds?: number;
  readonly children?: Child;
}

/** A whole page. */
export const Layout: FC<LayoutProps> = (props) => (
  <>
    {raw("<!doctype html>")}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {props.refreshSeconds && (
          <noscript>
            <meta http-equiv="refresh" content={String(props.refreshSeconds)} />
          </noscript>
        )}
        <title>{`${props.title} · ${props.site}`}</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/style.css" />
        {props.styles?.map((href) => <link rel="stylesheet" href={href} />)}
        {props.scripts?.map((src) => <script src={src} defer></script>)}
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        <header>
          <p class="site">{props.site}</p>
          {props.logOut && (
            <form class="visitor" method="post" action={props.logOut}>
              {props.visitor && <span>{props.visitor}</span>}
              <button type="submit" class="quiet">Log out</button>
            </form>
          )}
          {props.nav && (
            <nav aria-label="Pages">
              <ul>
                {props.nav.map(({ href, text }) => (
                  <li>
                    <a href={href} aria-current={href === props.path ? "page" : undefined}>
                      {text}
                    </a>
                  </li>
                ))}
              </ul>
            </nav>
          )}
        </header>
        <main id="main" tabindex={-1}>
          <h1>{props.title}</h1>
          {props.children}
        </main>
      </body>
    </html>
  </>
);
