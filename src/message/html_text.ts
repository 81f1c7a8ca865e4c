/**
 * Text of HTML for search and previews: tags, comments, scripts and styles go, block elements and
 * line breaks become line breaks, character references become characters. One pass, and whatever is
 * left open swallows the rest as it does in a browser; so any input takes linear time.
 */
export function htmlToText(html: string): string {
  const pieces: string[] = [];
  let at = 0;
  for (;;) {
    const open = html.indexOf("<", at);
    if (open < 0) {
      pieces.push(html.slice(at));
      break;
    }
    if (open > at) pieces.push(html.slice(at, open));
    if (html.startsWith("<!--", open)) {
      const close = html.indexOf("-->", open + 4);
      if (close < 0) break;
      at = close + 3;
      continue;
    }
    TAG_NAME.lastIndex = open + 1;
    const match = TAG_NAME.exec(html);
    if (match === null) {
      // A "<" in running text.
      pieces.push("<");
      at = open + 1;
      continue;
    }
    const close = findTagEnd(html, TAG_NAME.lastIndex);
    if (close < 0) break;
    at = close + 1;
    const name = (match[2] ?? "").toLowerCase();
    if (match[1] === "" && UNSEEN.has(name)) {
      const end = findEndTag(html, name, at);
      if (end < 0) break;
      at = end;
    } else if (CELLS.has(name)) pieces.push(match[1] === "" ? " " : "");
    else if (!INLINE.has(name)) pieces.push("\n");
  }
  return decodeReferences(pieces.join("")).replace(/[ \t\r\f]*\n\s*/g, "\n").trim();
}

const TAG_NAME = /(\/?)([a-z!?][^\s/>]*)/iy;

/** Elements whose content no one sees. */
const UNSEEN = new Set(["script", "style", "title", "template", "noscript", "textarea", "svg"]);
const CELLS = new Set(["td", "th"]);
/** Elements that do not break a line, or a word. */
const INLINE = new Set(
  ("a abbr acronym b bdi bdo big cite code del dfn em font i img ins kbd label mark q s samp " +
    "small span strike strong sub sup tt u var wbr").split(" "),
);

/** Where the tag's ">" is, outside quoted attribute values. */
function findTagEnd(html: string, from: number): number {
  for (let at = from; at < html.length; at++) {
    const code = html.charCodeAt(at);
    if (code === 62) return at;
    if ((code === 34 || code === 39) && html.charCodeAt(at - 1) === 61) {
      const close = html.indexOf(code === 34 ? '"' : "'", at + 1);
      if (close < 0) return html.indexOf(">", at);
      at = close;
    }
  }
  return -1;
}

function findEndTag(html: string, name: string, from: number): number {
  const pattern = new RegExp(`</${name}[^>]*>`, "ig");
  pattern.lastIndex = from;
  return pattern.exec(html) === null ? -1 : pattern.lastIndex;
}

/** Decodes `&amp;`, `&#233;` and `&#xE9;`; what is unknown stays. */
function decodeReferences(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z][a-z0-9]{1,7}));?/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return namedCharacters().get(name) ?? whole;
      const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
      const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
      return isCharacter ? String.fromCodePoint(code) : "\ufffd";
    },
  );
}

/** The names of U+00A0 to U+00FF in order (HTML 4.01 24.2). */
const LATIN = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr " +
  "deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 " +
  "iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave " +
  "Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc " +
  "Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc " +
  "euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave " +
  "uacute ucirc uuml yacute thorn yuml";

/** Names from U+0391 to U+03C9 in order; "-" where there is none. */
const GREEK = "Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron " +
  "Pi Rho - Sigma Tau Upsilon Phi Chi Psi Omega - - - - - - - alpha beta gamma delta epsilon " +
  "zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau upsilon phi chi psi " +
  "omega";

const OTHERS: readonly (readonly [string, string])[] = [
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["AMP", "&"],
  ["LT", "<"],
  ["GT", ">"],
  ["QUOT", '"'],
  ["COPY", "©"],
  ["REG", "®"],
  ["OElig", "Œ"],
  ["oelig", "œ"],
  ["Scaron", "Š"],
  ["scaron", "š"],
  ["Yuml", "Ÿ"],
  ["fnof", "ƒ"],
  ["circ", "ˆ"],
  ["tilde", "˜"],
  ["ensp", "\u2002"],
  ["emsp", "\u2003"],
  ["thinsp", "\u2009"],
  ["zwnj", "\u200c"],
  ["zwj", "\u200d"],
  ["ndash", "–"],
  ["mdash", "—"],
  ["lsquo", "‘"],
  ["rsquo", "’"],
  ["sbquo", "‚"],
  ["ldquo", "“"],
  ["rdquo", "”"],
  ["bdquo", "„"],
  ["dagger", "†"],
  ["Dagger", "‡"],
  ["bull", "•"],
  ["hellip", "…"],
  ["permil", "‰"],
  ["prime", "′"],
  ["lsaquo", "‹"],
  ["rsaquo", "›"],
  ["euro", "€"],
  ["trade", "™"],
  ["larr", "←"],
  ["uarr", "↑"],
  ["rarr", "→"],
  ["darr", "↓"],
  ["harr", "↔"],
  ["minus", "−"],
  ["infin", "∞"],
  ["asymp", "≈"],
  ["ne", "≠"],
  ["le", "≤"],
  ["ge", "≥"],
  ["check", "✓"],
  ["hearts", "♥"],
];

let named: Map<string, string> | undefined;

function namedCharacters(): Map<string, string> {
  if (named !== undefined) return named;
  named = new Map(OTHERS);
  for (const [index, name] of LATIN.split(" ").entries()) {
    named.set(name, String.fromCodePoint(0xa0 + index));
  }
  for (const [index, name] of GREEK.split(" ").entries()) {
    if (name !== "-") named.set(name, String.fromCodePoint(0x391 + index));
  }
  return named;
}
