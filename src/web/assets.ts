import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplotScript from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import chartsScript from "./assets/charts.js" with { type: "text" };
import icon from "./assets/icon.svg" with { type: "text" };
import importScript from "./assets/import.js" with { type: "text" };
import style from "./assets/style.css" with { type: "text" };

/** Files that pages ask for, within the program: by name, its type and its text. */
const ASSETS: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "charts.js": ["text/javascript; charset=utf-8", chartsScript],
  "icon.svg": ["image/svg+xml", icon],
  "import.js": ["text/javascript; charset=utf-8", importScript],
  "style.css": ["text/css; charset=utf-8", style],
  "uplot.css": ["text/css; charset=utf-8", uplotStyle],
  "uplot.js": ["text/javascript; charset=utf-8", uplotScript],
};

/** The answer with the asset of this name. */
export function serveAsset(name: string): Response {
  const [type, text] = Object.hasOwn(ASSETS, name) && ASSETS[name] || [];
  if (type === undefined) return new Response("Not found.\n", { status: 404 });
  return new Response(text, {
    headers: { "content-type": type, "cache-control": "max-age=3600" },
  });
}
