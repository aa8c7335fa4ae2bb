//! Box-drawing characters and blocks as geometry: fonts leave gaps between their lines, geometry does not.

/// What a character draws, in parts of its cell: (0, 0) is its upper left corner, (1, 1) its lower right one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// Strokes from the middle to these edges.
    Lines { up: bool, right: bool, down: bool, left: bool, is_heavy: bool },
    /// A filled part of the cell.
    Block { x: f32, y: f32, width: f32, height: f32, opacity: f32 },
}

/// The shape of a character; none where it is a letter like others.
pub(super) fn shape(symbol: &str) -> Option<Shape> {
    let mut characters = symbol.chars();
    let (Some(character), None) = (characters.next(), characters.next()) else { return None };
    lines(character).or_else(|| block(character))
}

fn lines(character: char) -> Option<Shape> {
    let (edges, is_heavy) = match character {
        '─' | '╌' | '┄' => ("rl", false),
        '│' | '╎' | '┆' => ("ud", false),
        '┌' | '╭' => ("rd", false),
        '┐' | '╮' => ("dl", false),
        '└' | '╰' => ("ur", false),
        '┘' | '╯' => ("ul", false),
        '├' => ("urd", false),
        '┤' => ("udl", false),
        '┬' => ("rdl", false),
        '┴' => ("url", false),
        '┼' => ("urdl", false),
        '╴' => ("l", false),
        '╵' => ("u", false),
        '╶' => ("r", false),
        '╷' => ("d", false),
        '━' => ("rl", true),
        '┃' => ("ud", true),
        '┏' => ("rd", true),
        '┓' => ("dl", true),
        '┗' => ("ur", true),
        '┛' => ("ul", true),
        _ => return None,
    };
    let has = |edge| edges.contains(edge);
    Some(Shape::Lines { up: has('u'), right: has('r'), down: has('d'), left: has('l'), is_heavy })
}

fn block(character: char) -> Option<Shape> {
    let eighths = |last: char| (u32::from(last) & 0xf) as f32 / 8.0;
    let whole = Shape::Block { x: 0.0, y: 0.0, width: 1.0, height: 1.0, opacity: 1.0 };
    let (x, y, width, height, opacity) = match character {
        '█' => return Some(whole),
        '▁'..='▇' => (0.0, 1.0 - eighths(character), 1.0, eighths(character), 1.0),
        '▉'..='▏' => {
            let width = (16.0 - (u32::from(character) & 0xf) as f32) / 8.0;
            (0.0, 0.0, width, 1.0, 1.0)
        }
        '▀' => (0.0, 0.0, 1.0, 0.5, 1.0),
        '▐' => (0.5, 0.0, 0.5, 1.0, 1.0),
        '░' => (0.0, 0.0, 1.0, 1.0, 0.25),
        '▒' => (0.0, 0.0, 1.0, 1.0, 0.5),
        '▓' => (0.0, 0.0, 1.0, 1.0, 0.75),
        _ => return None,
    };
    Some(Shape::Block { x, y, width, height, opacity })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eighths_grow_from_the_bottom_and_from_the_left() {
        let block = |x, y, width, height| Some(Shape::Block { x, y, width, height, opacity: 1.0 });
        assert_eq!(shape("▁"), block(0.0, 0.875, 1.0, 0.125));
        assert_eq!(shape("▇"), block(0.0, 0.125, 1.0, 0.875));
        assert_eq!(shape("█"), block(0.0, 0.0, 1.0, 1.0));
        assert_eq!(shape("▏"), block(0.0, 0.0, 0.125, 1.0));
        assert_eq!(shape("▌"), block(0.0, 0.0, 0.5, 1.0));
        assert_eq!(shape("▉"), block(0.0, 0.0, 0.875, 1.0));
    }

    #[test]
    fn corners_reach_the_edges_that_they_join() {
        let lines = |up, right, down, left| Some(Shape::Lines { up, right, down, left, is_heavy: false });
        assert_eq!(shape("┌"), lines(false, true, true, false));
        assert_eq!(shape("┘"), lines(true, false, false, true));
        assert_eq!(shape("┤"), lines(true, false, true, true));
        assert_eq!(shape("x"), None);
        assert_eq!(shape("─a"), None);
    }
}
