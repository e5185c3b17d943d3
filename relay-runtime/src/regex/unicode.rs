//! Unicode categories and scripts: `\pL`, `\p{Greek}`, `\P{^Lu}`.
//!
//! The names are Go's, letter by letter: `regex-syntax`, whose tables these are, takes many more spellings.

use super::{
    error::{RegexError, RegexErrorKind as Kind},
    parser::Parser,
};
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};
use std::sync::OnceLock;

/// Reads the `\p…` or `\P…` that the parser stands at.
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

/// Whether a reference's name (`$name`) may contain this character: Go's `IsLetter` or `IsDigit`.
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
    if name == "Any" {
        return Some(ClassUnicode::new([ClassUnicodeRange::new('\0', char::MAX)]));
    }
    if name == "C" {
        // Go's C lacks what is not assigned.
        let mut class = ClassUnicode::empty();
        for part in ["Cc", "Cf", "Co"] {
            class.union(&named(part)?);
        }
        return Some(class);
    }
    if name == "Cs" {
        // Surrogates are no characters; no text holds one.
        return Some(ClassUnicode::empty());
    }
    if CATEGORIES.contains(&name) {
        return table(&format!("\\p{{gc={name}}}"));
    }
    SCRIPTS.contains(&name).then(|| table(&format!("\\p{{sc={name}}}")))?
}

fn table(pattern: &str) -> Option<ClassUnicode> {
    match regex_syntax::parse(pattern).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        // A category with one character, such as `Zl`, comes back as that.
        HirKind::Literal(literal) => {
            let char = std::str::from_utf8(&literal.0).ok()?.chars().next()?;
            Some(ClassUnicode::new([ClassUnicodeRange::new(char, char)]))
        }
        _ => None,
    }
}

const CATEGORIES: [&str; 34] = [
    "Cc", "Cf", "Co", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl", "No", "P",
    "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
];

/// The scripts of Unicode 13.
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
    "Tangut",
    "Telugu",
    "Thaana",
    "Thai",
    "Tibetan",
    "Tifinagh",
    "Tirhuta",
    "Ugaritic",
    "Vai",
    "Wancho",
    "Warang_Citi",
    "Yezidi",
    "Yi",
    "Zanabazar_Square",
];
