//! Strings that mean harm, each from its number alone.

use fastrand::Rng;

/// What harm can be made of; a string takes some of each of a few.
const PIECES: [&[&str]; 12] = [
    // Bidirectional.
    &[
        "\u{202a}", "\u{202b}", "\u{202d}", "\u{202e}", "\u{202c}", "\u{2066}", "\u{2067}", "\u{2068}", "\u{2069}", "\u{200e}",
        "\u{200f}", "\u{61c}",
    ],
    // Of no width.
    &[
        "\u{200b}",
        "\u{200c}",
        "\u{200d}",
        "\u{2060}",
        "\u{feff}",
        "\u{34f}",
        "\u{ad}",
        "\u{180e}",
        "\u{17b4}",
        "\u{180b}",
        "\u{fe0f}",
        "\u{e0100}",
        "\u{3164}",
        "\u{115f}",
    ],
    // Tags.
    &["\u{e0001}", "\u{e0041}", "\u{e0061}", "\u{e007f}"],
    // Marks, to be stacked.
    &["\u{301}", "\u{300}", "\u{20dd}", "\u{489}", "\u{1dc0}", "\u{fe20}", "\u{64b}", "\u{e49}"],
    // Tabs and line ends.
    &["\t", "\r", "\n", "\r\n", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}", "\u{8}", "\u{7f}"],
    // Sequences.
    &[
        "\u{1b}[2J",
        "\u{1b}[31m",
        "\u{1b}]0;owned\u{7}",
        "\u{1b}]52;c;eA==\u{1b}\\",
        "\u{1b}P1$r0m\u{1b}\\",
        "\u{1b}[6n",
        "\u{1b}c",
        "\u{1b}[?1049l",
        "\u{1b}_x\u{1b}\\",
        "\u{7}",
    ],
    // C1.
    &["\u{9b}2J", "\u{9d}0;owned\u{9c}", "\u{90}x\u{9c}", "\u{84}", "\u{8d}"],
    // Over-wide.
    &[
        "\u{fdfd}",
        "\u{1242b}",
        "\u{12219}",
        "\u{2e3b}",
        "\u{a9c5}",
        "犬",
        "\u{1f469}\u{200d}\u{1f4bb}",
        "\u{1f1e6}\u{1f1fa}",
        "ｗｉｄｅ",
    ],
    // Formulas, in either width.
    &["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\u{ff1d}1", "\u{ff0b}1", "\u{ff0d}1", "\u{ff20}x", "=cmd|' /C calc'!A0", "\"=1\""],
    // Private and unassigned.
    &["\u{e000}", "\u{f8ff}", "\u{f0000}", "\u{10fffd}", "\u{378}", "\u{fffe}", "\u{1ffff}", "\u{fff9}"],
    // What markup would take.
    &["<script>", "&amp;", "]]>", "{{ id }}", "`x`", "'; drop table x; --", "%0d%0aSubject: x", "\\u001b"],
    // Plain.
    &["Happy Paws", "A$22.00", "naïve café", "犬の学校", "كلب", " ", "re_9Q", "x"],
];

/// The numbered string; never the same class alone for long.
pub fn hostile(number: u64) -> String {
    let mut random = Rng::with_seed(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut text = String::new();
    for _ in 0..random.usize(1..=5) {
        let pieces = random.choice(PIECES).unwrap();
        let times = if random.u8(..) == 0 { random.usize(20..200) } else { random.usize(1..=6) };
        for _ in 0..times {
            text.push_str(random.choice(pieces).unwrap());
        }
    }
    match random.u16(..) {
        // Very long.
        0..8 => text.repeat(200),
        8..2000 => format!("{text}{}", std::iter::repeat_with(|| random.char(..)).take(8).collect::<String>()),
        _ => text,
    }
}

/// Every Unicode scalar, in strings of so many each.
pub fn scalars(each: usize) -> impl Iterator<Item = String> {
    let mut all = ('\0'..=char::MAX).peekable();
    std::iter::from_fn(move || all.peek().is_some().then(|| all.by_ref().take(each).collect()))
}
