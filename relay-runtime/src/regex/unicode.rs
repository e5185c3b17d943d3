//! Unicode categories and scripts: `\pL`, `\p{Greek}`, `\P{^Lu}`.
//!
//! The names are those of Go 1.25 (`unicodeTable` in Go's regexp/syntax/parse.go): letter case, spaces, hyphens and
//! underscores make no difference, and categories have long names too. `regex-syntax`, which provides the tables,
//! accepts more names, such as properties.

use super::{
    error::{RegexError, RegexErrorKind as Kind},
    parser::Parser,
};
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};
use std::sync::OnceLock;

/// Parses the `\p…` or `\P…` at the parser's position.
pub(super) fn parse_class(parser: &mut Parser<'_>) -> Result<ClassUnicode, RegexError> {
    let (start, rest) = (parser.position(), parser.rest());
    let mut negated = rest.starts_with("\\P");
    let name = match rest["\\p".len()..].chars().next() {
        Some('{') => {
            let end = rest.find('}').unwrap_or(rest.len());
            parser.skip(rest.len().min(end + 1));
            &rest["\\p{".len()..end]
        }
        letter => {
            let end = "\\p".len() + letter.map_or(0, char::len_utf8);
            parser.skip(end);
            &rest["\\p".len()..end]
        }
    };
    let name = match name.strip_prefix('^') {
        Some(name) => {
            negated = !negated;
            name
        }
        None => name,
    };
    let closed = !rest.starts_with("\\p{") && !rest.starts_with("\\P{") || parser.since(start).ends_with('}');
    let Some(mut class) = closed.then(|| named(name)).flatten() else {
        return Err(parser.error(start, Kind::UnknownUnicodeClass(parser.since(start))));
    };
    if parser.flags.fold {
        class.case_fold_simple();
    }
    if negated {
        class.negate();
    }
    Ok(class)
}

/// Whether the name of a reference (`$name`) may contain this character, by Go's `IsLetter` or `IsDigit`.
pub(crate) fn is_letter_or_digit(char: char) -> bool {
    static CLASS: OnceLock<ClassUnicode> = OnceLock::new();
    if char.is_ascii() {
        return char.is_ascii_alphanumeric();
    }
    let class = CLASS.get_or_init(|| {
        let mut class = ClassUnicode::empty();
        for category in ["L", "Nd"] {
            if let Some(part) = named(category) {
                class.union(&part);
            }
        }
        class
    });
    class.ranges().iter().any(|range| range.start() <= char && char <= range.end())
}

fn named(name: &str) -> Option<ClassUnicode> {
    let name = canonical(name);
    let all = |from, to| ClassUnicode::new([ClassUnicodeRange::new(from, to)]);
    match name.as_str() {
        "any" => return Some(all('\0', char::MAX)),
        "ascii" => return Some(all('\0', '\x7f')),
        "assigned" => {
            let mut class = named("cn")?;
            class.negate();
            return Some(class);
        }
        "c" | "other" => {
            let mut class = ClassUnicode::empty();
            for part in ["cc", "cf", "cn", "co"] {
                class.union(&named(part)?);
            }
            return Some(class);
        }
        // Surrogates are not characters; no text contains one.
        "cs" | "surrogate" => return Some(ClassUnicode::empty()),
        _ => {}
    }
    if CATEGORIES.contains(&name.as_str()) {
        return table(&format!("\\p{{gc={name}}}"));
    }
    SCRIPTS.iter().any(|script| canonical(script) == name).then(|| table(&format!("\\p{{sc={name}}}")))?
}

/// The name in the form in which names are compared.
fn canonical(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

fn table(pattern: &str) -> Option<ClassUnicode> {
    match regex_syntax::parse(pattern).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        // A category with one character, such as `Zl`, becomes a literal.
        HirKind::Literal(literal) => {
            let char = std::str::from_utf8(&literal.0).ok()?.chars().next()?;
            Some(ClassUnicode::new([ClassUnicodeRange::new(char, char)]))
        }
        _ => None,
    }
}

/// The categories and their long names (`gc` in Unicode's PropertyValueAliases.txt), in the form in which they are compared; `C` and
/// `Cs` are built separately.
const CATEGORIES: &[&str] = &[
    "cc",
    "control",
    "cntrl",
    "cf",
    "format",
    "cn",
    "unassigned",
    "co",
    "privateuse",
    "l",
    "letter",
    "lc",
    "casedletter",
    "ll",
    "lowercaseletter",
    "lm",
    "modifierletter",
    "lo",
    "otherletter",
    "lt",
    "titlecaseletter",
    "lu",
    "uppercaseletter",
    "m",
    "mark",
    "combiningmark",
    "mc",
    "spacingmark",
    "me",
    "enclosingmark",
    "mn",
    "nonspacingmark",
    "n",
    "number",
    "nd",
    "decimalnumber",
    "digit",
    "nl",
    "letternumber",
    "no",
    "othernumber",
    "p",
    "punctuation",
    "punct",
    "pc",
    "connectorpunctuation",
    "pd",
    "dashpunctuation",
    "pe",
    "closepunctuation",
    "pf",
    "finalpunctuation",
    "pi",
    "initialpunctuation",
    "po",
    "otherpunctuation",
    "ps",
    "openpunctuation",
    "s",
    "symbol",
    "sc",
    "currencysymbol",
    "sk",
    "modifiersymbol",
    "sm",
    "mathsymbol",
    "so",
    "othersymbol",
    "z",
    "separator",
    "zl",
    "lineseparator",
    "zp",
    "paragraphseparator",
    "zs",
    "spaceseparator",
];

/// The scripts of Unicode 15, which Go 1.25 has.
const SCRIPTS: &[&str] = &[
    "Adlam",
    "Ahom",
    "Anatolian_Hieroglyphs",
    "Arabic",
    "Armenian",
    "Avestan",
    "Balinese",
    "Bamum",
    "Bassa_Vah",
    "Batak",
    "Bengali",
    "Bhaiksuki",
    "Bopomofo",
    "Brahmi",
    "Braille",
    "Buginese",
    "Buhid",
    "Canadian_Aboriginal",
    "Carian",
    "Caucasian_Albanian",
    "Chakma",
    "Cham",
    "Cherokee",
    "Chorasmian",
    "Common",
    "Coptic",
    "Cuneiform",
    "Cypriot",
    "Cypro_Minoan",
    "Cyrillic",
    "Deseret",
    "Devanagari",
    "Dives_Akuru",
    "Dogra",
    "Duployan",
    "Egyptian_Hieroglyphs",
    "Elbasan",
    "Elymaic",
    "Ethiopic",
    "Georgian",
    "Glagolitic",
    "Gothic",
    "Grantha",
    "Greek",
    "Gujarati",
    "Gunjala_Gondi",
    "Gurmukhi",
    "Han",
    "Hangul",
    "Hanifi_Rohingya",
    "Hanunoo",
    "Hatran",
    "Hebrew",
    "Hiragana",
    "Imperial_Aramaic",
    "Inherited",
    "Inscriptional_Pahlavi",
    "Inscriptional_Parthian",
    "Javanese",
    "Kaithi",
    "Kannada",
    "Katakana",
    "Kawi",
    "Kayah_Li",
    "Kharoshthi",
    "Khitan_Small_Script",
    "Khmer",
    "Khojki",
    "Khudawadi",
    "Lao",
    "Latin",
    "Lepcha",
    "Limbu",
    "Linear_A",
    "Linear_B",
    "Lisu",
    "Lycian",
    "Lydian",
    "Mahajani",
    "Makasar",
    "Malayalam",
    "Mandaic",
    "Manichaean",
    "Marchen",
    "Masaram_Gondi",
    "Medefaidrin",
    "Meetei_Mayek",
    "Mende_Kikakui",
    "Meroitic_Cursive",
    "Meroitic_Hieroglyphs",
    "Miao",
    "Modi",
    "Mongolian",
    "Mro",
    "Multani",
    "Myanmar",
    "Nabataean",
    "Nag_Mundari",
    "Nandinagari",
    "New_Tai_Lue",
    "Newa",
    "Nko",
    "Nushu",
    "Nyiakeng_Puachue_Hmong",
    "Ogham",
    "Ol_Chiki",
    "Old_Hungarian",
    "Old_Italic",
    "Old_North_Arabian",
    "Old_Permic",
    "Old_Persian",
    "Old_Sogdian",
    "Old_South_Arabian",
    "Old_Turkic",
    "Old_Uyghur",
    "Oriya",
    "Osage",
    "Osmanya",
    "Pahawh_Hmong",
    "Palmyrene",
    "Pau_Cin_Hau",
    "Phags_Pa",
    "Phoenician",
    "Psalter_Pahlavi",
    "Rejang",
    "Runic",
    "Samaritan",
    "Saurashtra",
    "Sharada",
    "Shavian",
    "Siddham",
    "SignWriting",
    "Sinhala",
    "Sogdian",
    "Sora_Sompeng",
    "Soyombo",
    "Sundanese",
    "Syloti_Nagri",
    "Syriac",
    "Tagalog",
    "Tagbanwa",
    "Tai_Le",
    "Tai_Tham",
    "Tai_Viet",
    "Takri",
    "Tamil",
    "Tangsa",
    "Tangut",
    "Telugu",
    "Thaana",
    "Thai",
    "Tibetan",
    "Tifinagh",
    "Tirhuta",
    "Toto",
    "Ugaritic",
    "Vai",
    "Vithkuqi",
    "Wancho",
    "Warang_Citi",
    "Yezidi",
    "Yi",
    "Zanabazar_Square",
];
