//! Which pane stands where, at every size. Pure; `update` asks it how many rows a list shows.

use ratatui::layout::Rect;

use crate::ui::{model::Model, place::Pane};

/// The parts of the screen; an empty rectangle is not drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    pub header: Rect,
    /// Panes in view, none of them smaller than 3 rows.
    pub panes: Vec<(Pane, Rect)>,
    /// Where a page is read, over the panes.
    pub page: Option<Rect>,
    /// The selected item in full.
    pub preview: Option<Rect>,
    /// The most important figures on one line.
    pub figures: Rect,
    /// The severest alerts on one line, over a queue that takes the screen.
    pub severest: Rect,
    pub footer: Rect,
    pub status: Rect,
}

/// How much the screen holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// One pane and the status line.
    One,
    /// 80x24.
    Small,
    /// 120x40.
    Medium,
    /// 200x60.
    Large,
}

impl Room {
    pub fn of((width, height): (u16, u16)) -> Self {
        match (width, height) {
            (180.., 50..) => Self::Large,
            (110.., 34..) => Self::Medium,
            (80.., 24..) => Self::Small,
            _ => Self::One,
        }
    }
}

pub fn arrange(model: &Model) -> Layout {
    let (width, height) = model.size;
    let room = Room::of(model.size);
    let mut layout = Layout::default();
    let header = match (room, height) {
        (Room::One, 0..7) => 0,
        (Room::One, 7..12) => 1,
        (Room::One | Room::Small | Room::Medium | Room::Large, _) => 2.min(height),
    };
    let footer = u16::from(height >= 12);
    let status = u16::from(height >= 2);
    layout.header = Rect::new(0, 0, width, header);
    layout.status = Rect::new(0, height - status, width, status);
    layout.footer = Rect::new(0, height - status - footer, width, footer);
    let mut body = Rect::new(0, header, width, height - header - footer - status);
    if model.place.page.is_some() {
        layout.page = Some(body);
        return layout;
    }
    let panes = match room {
        Room::One => None,
        _ if model.place.zoomed => None,
        Room::Small if model.work().is_some() => {
            layout.severest = Rect { height: 1, ..body };
            body = Rect { y: body.y + 1, height: body.height - 1, ..body };
            None
        }
        Room::Small => {
            let with_figures = Rect { height: body.height - 1, ..body };
            layout.figures = Rect::new(0, body.bottom() - 1, width, 1);
            Some(small(with_figures))
        }
        Room::Medium if model.work().is_some() => Some(working(body, 6, &[Pane::Alerts, Pane::Journal])),
        Room::Large if model.work().is_some() => Some(working(body, 8, &[Pane::Alerts, Pane::Journal, Pane::Metrics])),
        Room::Medium => Some(medium(body)),
        Room::Large => Some(large(body)),
    };
    if let Some(panes) = panes.filter(|panes| panes.iter().any(|(pane, _)| *pane == model.place.pane)) {
        layout.panes = panes;
    } else {
        if !layout.figures.is_empty() {
            body.height = layout.figures.bottom() - body.y;
            layout.figures = Rect::default();
        }
        layout.panes = vec![(model.place.pane, body)];
    }
    give_preview(model, &mut layout);
    layout
}

/// Cuts the preview of the selected item out of its pane: beside the list where it is wide, else below.
fn give_preview(model: &Model, layout: &mut Layout) {
    // Where there is room beside the list, the text is there without being asked for.
    let is_wanted = model.preview.unwrap_or(Room::of(model.size) == Room::Large);
    if !is_wanted || model.work().is_none() {
        return;
    }
    let Some((_, area)) = layout.panes.iter_mut().find(|(pane, _)| *pane == Pane::Queues) else { return };
    if area.width >= 110 {
        let right = if area.width >= 160 { area.width * 2 / 5 } else { area.width / 3 };
        layout.preview = Some(Rect::new(area.right() - right, area.y, right, area.height));
        area.width -= right;
    } else if area.height >= 14 {
        let below = area.height * 2 / 5;
        layout.preview = Some(Rect::new(area.x, area.bottom() - below, area.width, below));
        area.height -= below;
    }
}

/// Splits a length by weights; the last part takes what is left over.
fn split(length: u16, weights: &[u16]) -> Vec<u16> {
    let total: u16 = weights.iter().sum();
    let mut left = length;
    let mut parts = Vec::with_capacity(weights.len());
    for (index, weight) in weights.iter().enumerate() {
        let part = if index + 1 == weights.len() { left } else { length * weight / total.max(1) };
        let part = part.min(left);
        left -= part;
        parts.push(part);
    }
    parts
}

fn rows(body: Rect, weights: &[u16]) -> Vec<Rect> {
    let mut y = body.y;
    let area = |height: u16| {
        let area = Rect::new(body.x, y, body.width, height);
        y += height;
        area
    };
    split(body.height, weights).into_iter().map(area).collect()
}

fn columns(body: Rect, weights: &[u16]) -> Vec<Rect> {
    let mut x = body.x;
    let area = |width: u16| {
        let area = Rect::new(x, body.y, width, body.height);
        x += width;
        area
    };
    split(body.width, weights).into_iter().map(area).collect()
}

fn placed(panes: &[Pane], areas: Vec<Rect>) -> impl Iterator<Item = (Pane, Rect)> {
    panes.iter().copied().zip(areas)
}

/// Alerts, queues, jobs beside the journal; what is taller has room for the money and the flags.
fn small(body: Rect) -> Vec<(Pane, Rect)> {
    let is_tall = body.height >= 30;
    let weights: &[u16] = if is_tall { &[8, 7, 7, 7] } else { &[7, 6, 6] };
    let mut rows = rows(body, weights).into_iter();
    let mut panes = Vec::new();
    panes.extend(rows.next().map(|area| (Pane::Alerts, area)));
    panes.extend(rows.next().map(|area| (Pane::Queues, area)));
    if is_tall && let Some(area) = rows.next() {
        panes.extend(placed(&[Pane::Reconciliation, Pane::Flags], columns(area, &[5, 4])));
    }
    if let Some(area) = rows.next() {
        panes.extend(placed(&[Pane::Jobs, Pane::Journal], columns(area, &[1, 1])));
    }
    panes
}

/// A queue being worked takes what there is; a few lines stay for what may go wrong meanwhile.
fn working(body: Rect, above: u16, around: &[Pane]) -> Vec<(Pane, Rect)> {
    let top = Rect { height: above.min(body.height), ..body };
    let mut panes: Vec<(Pane, Rect)> = placed(around, columns(top, &vec![1; around.len()])).collect();
    panes.push((Pane::Queues, Rect { y: top.bottom(), height: body.height - top.height, ..body }));
    panes
}

fn medium(body: Rect) -> Vec<(Pane, Rect)> {
    let mut panes = Vec::new();
    for (index, area) in rows(body, &[9, 11, 9, 7]).into_iter().enumerate() {
        match index {
            0 => panes.extend(placed(&[Pane::Alerts, Pane::Metrics], columns(area, &[1, 1]))),
            1 => panes.extend(placed(&[Pane::Queues, Pane::Playbooks], columns(area, &[2, 1]))),
            2 => panes.extend(placed(&[Pane::Jobs, Pane::Reconciliation], columns(area, &[1, 1]))),
            _ => panes.extend(placed(&[Pane::Journal, Pane::Flags], columns(area, &[2, 1]))),
        }
    }
    panes
}

fn large(body: Rect) -> Vec<(Pane, Rect)> {
    let mut panes = Vec::new();
    for (index, area) in rows(body, &[18, 19, 18]).into_iter().enumerate() {
        match index {
            0 => {
                panes.extend(placed(&[Pane::Alerts, Pane::Playbooks, Pane::Metrics], columns(area, &[18, 9, 23])));
            }
            1 => panes.extend(placed(&[Pane::Queues, Pane::Reconciliation], columns(area, &[3, 2]))),
            _ => {
                let halves = columns(area, &[1, 1]);
                panes.extend(halves.first().map(|area| (Pane::Jobs, *area)));
                if let Some(right) = halves.get(1) {
                    let stacked = split(right.height, &[11, 7]);
                    let journal = stacked.first().copied().unwrap_or_default();
                    panes.push((Pane::Journal, Rect { height: journal, ..*right }));
                    panes.push((Pane::Flags, Rect { y: right.y + journal, height: right.height - journal, ..*right }));
                }
            }
        }
    }
    panes
}

/// Lines at the top of a pane that are no rows: the heads of its columns.
pub fn heads(model: &Model, pane: Pane, area: Rect) -> u16 {
    let has_heads = match pane {
        Pane::Queues => model.work().is_some() || area.width >= 90,
        Pane::Jobs => area.height >= 9,
        Pane::Metrics => area.height >= 9 && model.snapshot.is_some(),
        Pane::Reconciliation => area.height >= 7,
        Pane::Alerts | Pane::Flags | Pane::Playbooks | Pane::Journal => false,
    };
    u16::from(has_heads && area.height > 4)
}

/// What is marked, and a sentence of two lines about the selected row.
const FOOT: u16 = 3;

/// Lines at the foot of a pane that are no rows: what is marked, why the selected row cannot be.
pub fn foot(model: &Model, pane: Pane, area: Rect) -> u16 {
    if pane != Pane::Queues || model.work().is_none() {
        return 0;
    }
    match area.height {
        0..8 => 0,
        8..10 => 1,
        // Rows that wait come before room for a sentence.
        height if model.count(pane) > usize::from(height.saturating_sub(2 + heads(model, pane, area) + FOOT)) => 1,
        _ => FOOT,
    }
}

/// Where a pane's rows go.
pub fn list(model: &Model, pane: Pane, area: Rect) -> Rect {
    let all = rows_and_aside(model, pane, area);
    Rect { height: all.height - aside(model, pane, area).map_or(0, |aside| aside.height), ..all }
}

fn rows_and_aside(model: &Model, pane: Pane, area: Rect) -> Rect {
    let (heads, foot) = (heads(model, pane, area), foot(model, pane, area));
    let border = u16::from(area.height >= 3 && area.width >= 3);
    Rect::new(
        area.x + border,
        area.y + border + heads,
        area.width.saturating_sub(2 * border),
        area.height.saturating_sub(2 * border + heads + foot),
    )
}

/// Below this a text about the selected row says too little to be worth its line.
const LEAST_ASIDE: u16 = 4;

/// What the rows of a pane leave over: there the selected one is told of. Its first line is its title.
pub fn aside(model: &Model, pane: Pane, area: Rect) -> Option<Rect> {
    let is_working = pane == Pane::Queues && model.work().is_some();
    let is_told_beside = is_working && (model.preview == Some(true) || Room::of(model.size) == Room::Large);
    if pane == Pane::Journal || model.snapshot.is_none() || is_told_beside {
        return None;
    }
    let all = rows_and_aside(model, pane, area);
    let rows = u16::try_from(model.count(pane)).ok().filter(|rows| *rows > 0)?;
    let left = all.height.checked_sub(rows).filter(|left| *left >= LEAST_ASIDE && all.width >= 30)?;
    Some(Rect { y: all.bottom() - left, height: left, ..all })
}

/// How many rows of a pane are seen at once; a pane out of view counts as one of ten rows.
pub fn list_height(model: &Model, pane: Pane) -> usize {
    let layout = arrange(model);
    let area = layout.panes.iter().find(|(other, _)| *other == pane).map(|(_, area)| *area);
    area.map_or(10, |area| usize::from(list(model, pane, area).height))
}

/// How many lines of a page are seen at once.
pub fn page_height(model: &Model) -> usize {
    arrange(model).page.map_or(1, |area| usize::from(area.height.saturating_sub(2)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::model::fixture;

    #[test]
    fn parts_never_overlap_and_never_leave_the_screen() {
        let mut model = fixture::model();
        for width in (20..230).step_by(7) {
            for height in 1..75 {
                for (zoomed, pane) in [(false, Pane::Alerts), (true, Pane::Queues), (false, Pane::Flags)] {
                    model.size = (width, height);
                    model.place.zoomed = zoomed;
                    model.place.pane = pane;
                    let layout = arrange(&model);
                    let screen = Rect::new(0, 0, width, height);
                    let mut areas: Vec<Rect> = layout.panes.iter().map(|(_, area)| *area).collect();
                    areas.extend([layout.header, layout.figures, layout.footer, layout.status]);
                    areas.retain(|area| !area.is_empty());
                    let cells: u32 = areas.iter().map(|area| area.area()).sum();
                    assert!(areas.iter().all(|area| screen.intersection(*area) == *area), "{width}x{height}");
                    assert_eq!(cells, u32::from(width) * u32::from(height), "{width}x{height} {areas:?}");
                    assert!(layout.panes.iter().any(|(shown, _)| *shown == pane));
                }
            }
        }
    }

    #[test]
    fn the_drawn_sizes_stand_as_they_were_drawn() {
        let mut model = fixture::model();
        model.size = (80, 24);
        let heights: Vec<u16> = arrange(&model).panes.iter().map(|(_, area)| area.height).collect();
        assert_eq!(heights, [7, 6, 6, 6]);
        model.size = (120, 40);
        let areas = arrange(&model).panes;
        assert_eq!(areas.len(), 8);
        assert_eq!(areas.first().map(|(_, area)| (area.width, area.height)), Some((60, 9)));
    }
}
