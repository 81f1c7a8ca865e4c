import { encodeUtf8 } from "../base/mod.ts";
import { MAX_PASSWORD_BYTES, MAX_USERNAME_BYTES } from "./limits.ts";

/**
 * What FreeformClass disallows (RFC 8264 4.3.3): controls, surrogates, private use, unassigned code
 * points and noncharacters, ignorable ones, conjoining Hangul jamo that NFC left alone, and the
 * Exceptions (RFC 8264 9.6). The joiners are judged by `contextAllows`.
 */
const DISALLOWED =
  /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]|(?![\u200c\u200d])[\p{Default_Ignorable_Code_Point}\p{Cf}]/u;

/** Code points whose context decides (RFC 8264 4.3.2; the rules are those that IDNA has). */
const CONTEXTUAL = /[\u00b7\u0375\u05f3\u05f4\u0660-\u0669\u06f0-\u06f9\u200c\u200d\u30fb]/u;

/** Code points of canonical combining class 9 (Virama), behind which joiners are ordinary spelling. */
const VIRAMA =
  "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u0e3a\u0eba\u0f84\u1039" +
  "\u103a\u1714\u1715\u1734\u17d2\u1a60\u1b44\u1baa\u1bab\u1bf2\u1bf3\u2d7f\ua806\ua82c\ua8c4\ua953" +
  "\ua9c0\uaaf6\uabed\u{10a3f}\u{11046}\u{11070}\u{1107f}\u{110b9}\u{11133}\u{11134}\u{111c0}" +
  "\u{11235}\u{112ea}\u{1134d}\u{11442}\u{114c2}\u{115bf}\u{1163f}\u{116b6}\u{1172b}\u{11839}" +
  "\u{1193d}\u{1193e}\u{119e0}\u{11a34}\u{11a47}\u{11a99}\u{11c3f}\u{11d44}\u{11d45}\u{11d97}" +
  "\u{11f41}\u{11f42}";

/** A contextual code point outside the context that its rule asks for. */
const OUT_OF_CONTEXT: readonly RegExp[] = [
  // A.1 ZERO WIDTH NON-JOINER: looser in that any letters of a cursive script count as joining.
  new RegExp(
    `(?<![${VIRAMA}]|[\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Mongolian}\\p{Script=Nko}]\\p{M}*)\u200c`,
    "u",
  ),
  // A.2 ZERO WIDTH JOINER
  new RegExp(`(?<![${VIRAMA}])\u200d`, "u"),
  // A.3 MIDDLE DOT, A.4 GREEK KERAIA, A.5 and A.6 HEBREW GERESH and GERSHAYIM
  /(?<!l)\u00b7|\u00b7(?!l)/u,
  /\u0375(?!\p{Script=Greek})/u,
  /(?<!\p{Script=Hebrew})[\u05f3\u05f4]/u,
  // A.8 and A.9: digits of one Arabic set only
  /[\u0660-\u0669].*[\u06f0-\u06f9]|[\u06f0-\u06f9].*[\u0660-\u0669]/su,
];

function contextAllows(text: string): boolean {
  if (!CONTEXTUAL.test(text)) return true;
  if (OUT_OF_CONTEXT.some((rule) => rule.test(text))) return false;
  // A.7 KATAKANA MIDDLE DOT
  return !text.includes("\u30fb") ||
    /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(text);
}

/**
 * The OpaqueString form of a password (RFC 8265 4.2.2): every space becomes U+0020, then NFC.
 * Undefined when the result is empty, longer than `MAX_PASSWORD_BYTES`, or holds a code point that
 * FreeformClass does not allow. The class is checked after NFC (the order of RFC 8264 7), so that
 * decomposed Hangul, as some keyboards give it, is accepted.
 */
export function preparePassword(password: string): string | undefined {
  // Before the normalisation, so that its cost is bounded too.
  if (password.length > MAX_PASSWORD_BYTES || !password.isWellFormed()) return undefined;
  const prepared = password.replace(/\p{Zs}/gu, " ").normalize("NFC");
  if (prepared === "" || encodeUtf8(prepared).length > MAX_PASSWORD_BYTES) return undefined;
  if (DISALLOWED.test(prepared) || !contextAllows(prepared)) return undefined;
  return prepared;
}

/**
 * A username in the form in which the directory is asked: NFC. Letter case is the directory's
 * business, as it is for mail addresses. Undefined when it is empty, longer than
 * `MAX_USERNAME_BYTES`, or has a control character, an unassigned code point or a lone surrogate.
 */
export function normaliseUsername(username: string): string | undefined {
  if (username.length > MAX_USERNAME_BYTES || !username.isWellFormed()) return undefined;
  const normal = username.normalize("NFC");
  if (normal === "" || encodeUtf8(normal).length > MAX_USERNAME_BYTES) return undefined;
  return /[\p{Cc}\p{Cn}\p{Zl}\p{Zp}]/u.test(normal) ? undefined : normal;
}
