//! A page about one thing: an alert and why, an item in full, a job's runs, a playbook.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};
use unicode_width::UnicodeWidthStr as _;

use super::{
    ink::{Ink, wrapped},
    layout, markdown, pages, sheet,
};
use crate::{
    domain::pack::{self},
    ui::{
        model::Model,
        place::Thing,
        theme::{Role, Theme},
    },
};

/// How much is said of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// A page of its own.
    Whole,
    /// A few lines below its list: the most important, no history.
    Aside,
}

/// A page being written: labelled lines, paragraphs, lists.
pub struct Paper<'a> {
    pub ink: Ink<'a>,
    pub width: usize,
    pub lines: Vec<Line<'static>>,
    pub extent: Extent,
    /// Where a paragraph, an item of a list, a labelled text begins: it may end before, and nowhere else.
    starts: Vec<usize>,
    is_after_head: bool,
}

/// The column in which what is labelled begins.
const LABEL: usize = 16;
/// Below this the column of labels takes too much of what there is to say.
const NARROW: usize = 34;
/// Where lines are few, they are not given away for straight edges.
const NARROW_ASIDE: usize = 44;

impl<'a> Paper<'a> {
    fn new(ink: Ink<'a>, width: usize, extent: Extent) -> Self {
        Self { ink, width: width.max(10), lines: Vec::new(), extent, starts: Vec::new(), is_after_head: false }
    }

    fn begin(&mut self) {
        // A head belongs to what it stands over.
        if !std::mem::take(&mut self.is_after_head) {
            self.starts.push(self.lines.len());
        }
    }

    /// Lines that say nothing without each other: all of them, or none.
    pub fn together(&mut self, write: impl FnOnce(&mut Self)) {
        let before = self.starts.len();
        write(self);
        self.starts.truncate(before + 1);
    }

    /// How many of the first lines say something whole in so many lines.
    pub fn whole(&self, height: usize) -> usize {
        if self.lines.len() <= height {
            return self.lines.len();
        }
        let end_before = |start: &usize| {
            let blanks = self.lines.iter().take(*start).rev().take_while(|line| line.width() == 0).count();
            start - blanks
        };
        self.starts.iter().map(end_before).filter(|end| *end <= height).max().unwrap_or(0)
    }

    pub fn markdown(&mut self, text: &str) {
        for (starts, lines) in markdown::lines(&self.ink, text, self.width) {
            match starts {
                markdown::Starts::Heading => {
                    self.begin();
                    self.is_after_head = true;
                }
                markdown::Starts::Block => self.begin(),
                markdown::Starts::Nothing => {}
            }
            self.lines.extend(lines);
        }
    }

    pub fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| line.width() > 0) {
            self.lines.push(Line::default());
        }
    }

    pub fn head(&mut self, text: &str) {
        self.blank();
        self.text(text, Role::Title);
        self.is_after_head = true;
    }

    pub fn text(&mut self, text: &str, role: Role) {
        self.begin();
        let style = self.ink.style(role);
        self.lines.extend(wrapped(text, self.width).into_iter().map(|line| Line::styled(line, style)));
    }

    /// `label     text`, what does not fit going on below the text.
    pub fn labelled(&mut self, label: &str, text: &str, role: Role) {
        if !label.is_empty() {
            self.begin();
        }
        let narrow = if self.extent == Extent::Aside { NARROW_ASIDE } else { NARROW };
        if self.width < narrow {
            self.run_in(label, text, role);
            return;
        }
        let label = self.ink.cut(label, LABEL - 1);
        let room = self.width.saturating_sub(LABEL).max(8);
        for (at, line) in wrapped(text, room).into_iter().enumerate() {
            let head = if at == 0 { label.as_str() } else { "" };
            let pad = " ".repeat(LABEL - head.width());
            let head = Span::styled(format!("{head}{pad}"), self.ink.style(Role::Muted));
            self.lines.push(Line::from(vec![head, Span::styled(line, self.ink.style(role))]));
        }
    }

    /// `label: text` without a column of labels, where that would leave no room for the text.
    fn run_in(&mut self, label: &str, text: &str, role: Role) {
        let head = if label.trim().is_empty() { String::new() } else { format!("{}: ", label.trim()) };
        let (muted, style) = (self.ink.style(Role::Muted), self.ink.style(role));
        for (at, line) in wrapped(&format!("{head}{}", text.trim_start()), self.width).into_iter().enumerate() {
            self.lines.push(match line.strip_prefix(head.as_str()).filter(|_| at == 0) {
                Some(rest) => Line::from(vec![Span::styled(head.clone(), muted), Span::styled(rest.to_owned(), style)]),
                None => Line::styled(line, style),
            });
        }
    }

    pub fn cells(&mut self, cells: &[(&str, Role)]) {
        self.begin();
        let spans: Vec<Span<'static>> =
            cells.iter().map(|(text, role)| Span::styled((*text).to_owned(), self.ink.style(*role))).collect();
        self.lines.push(Line::from(spans));
    }
}

/// The lines of a page.
fn lines(ink: Ink<'_>, thing: &Thing, width: usize) -> Vec<Line<'static>> {
    written(ink, thing, width, Extent::Whole).lines
}

/// A page, written.
pub fn written<'a>(ink: Ink<'a>, thing: &Thing, width: usize, extent: Extent) -> Paper<'a> {
    let mut paper = Paper::new(ink, width, extent);
    match thing {
        Thing::Alert(subject) => pages::alert(&mut paper, subject),
        Thing::Item(queue, key) => pages::item(&mut paper, queue, key),
        Thing::Job(id) => pages::job(&mut paper, id),
        Thing::Statement(id) => pages::statement(&mut paper, id),
        Thing::Discrepancy(id, key) => pages::discrepancy(&mut paper, id, key),
        Thing::Flag(id) => pages::flag(&mut paper, id),
        Thing::Metric(id) => pages::metric(&mut paper, id),
        Thing::Line(sequence) => pages::line(&mut paper, *sequence),
        Thing::Run(plan) => pages::run(&mut paper, plan),
        Thing::Playbook(id) => {
            if let Some(playbook) = pack::find(&ink.model.pack.playbooks, id) {
                paper.markdown(if extent == Extent::Aside { markdown::body(&playbook.markdown) } else { &playbook.markdown });
            }
        }
        Thing::Queue(id) => pages::queue(&mut paper, id),
        Thing::Healthy => pages::healthy(&mut paper),
    }
    if paper.lines.is_empty() {
        paper.text("It is not there any more. Esc goes back.", Role::Muted);
    }
    paper
}

fn width(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(4))
}

/// How many lines the open page has.
pub fn length(model: &Model) -> usize {
    let theme = Theme::plain();
    let area = layout::arrange(model).page.unwrap_or_default();
    let ink = Ink::new(model, &theme, model.now);
    model.place.page.as_ref().map_or(0, |thing| lines(ink, thing, width(area)).len())
}

pub fn title(model: &Model, thing: &Thing) -> String {
    match thing {
        Thing::Alert(subject) => model.alert(subject).map_or_else(|| subject.name(), |alert| alert.title.clone()),
        Thing::Playbook(id) => match model.pack.playbooks.iter().position(|playbook| playbook.id == *id) {
            Some(place) => {
                format!("Playbook {}: {}", place + 1, model.pack.playbooks.get(place).map_or("", |playbook| &playbook.title))
            }
            None => id.to_string(),
        },
        Thing::Item(queue, key) => {
            let queue = model.queue_spec(queue).map_or_else(|| queue.to_string(), |spec| spec.title.clone());
            format!("{queue} > {key}")
        }
        Thing::Job(id) => pack::find(&model.pack.jobs, id).map_or_else(|| id.to_string(), |job| job.title.clone()),
        Thing::Flag(id) => pack::find(&model.pack.flags, id).map_or_else(|| id.to_string(), |flag| flag.title.clone()),
        Thing::Metric(id) => pack::find(&model.pack.metrics, id).map_or_else(|| id.to_string(), |metric| metric.title.clone()),
        Thing::Statement(id) => pack::find(&model.pack.reconciliations, id)
            .map_or_else(|| id.to_string(), |reconciliation| reconciliation.title.clone()),
        Thing::Queue(id) => model.queue_spec(id).map_or_else(|| id.to_string(), |spec| spec.title.clone()),
        Thing::Discrepancy(id, key) => {
            let of = title(model, &Thing::Statement(id.clone()));
            let class = model.discrepancy(id, key).map_or(key.as_str(), |discrepancy| discrepancy.class.said());
            format!("{of} > {class}")
        }
        Thing::Line(sequence) => format!("Journal line {sequence}"),
        Thing::Run(plan) => pages::run_title(model, plan),
        Thing::Healthy => "All that is well".to_owned(),
    }
}

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let Some(thing) = &ink.model.place.page else { return };
    let lines = lines(*ink, thing, width(area));
    let height = usize::from(area.height.saturating_sub(2));
    let offset = ink.model.scroll.min(lines.len().saturating_sub(height));
    let left = lines.len().saturating_sub(offset + height);
    let more = if left > 0 { format!("{left} more lines") } else { String::new() };
    let foot = Some((more.as_str(), Role::Muted)).filter(|_| left > 0);
    sheet::frame(ink, buffer, area, &title(ink.model, thing), "Esc back", true, foot);
    print(buffer, area, lines.iter().skip(offset));
}

/// The selected item in full, beside or below its list.
pub fn preview(ink: &Ink<'_>, buffer: &mut Buffer, area: Rect) {
    let selected = ink.model.work().and_then(|work| Some(Thing::Item(work.queue.clone(), work.selected()?.key.clone())));
    let name = selected.as_ref().map_or_else(String::new, Thing::name);
    sheet::frame(ink, buffer, area, &name, "p closes", false, None);
    if let Some(thing) = selected {
        print(buffer, area, lines(*ink, &thing, width(area)).iter());
    }
}

fn print<'a>(buffer: &mut Buffer, area: Rect, lines: impl Iterator<Item = &'a Line<'static>>) {
    if area.width < 5 || area.height < 3 {
        return;
    }
    for (line, y) in lines.zip(area.y + 1..area.bottom() - 1) {
        buffer.set_line(area.x + 2, y, line, area.width - 4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::model::fixture;

    fn written_by(write: impl FnOnce(&mut Paper<'_>), holds: impl FnOnce(&Paper<'_>)) {
        let (model, theme) = (fixture::model(), Theme::plain());
        let mut paper = Paper::new(Ink::new(&model, &theme, fixture::now()), 20, Extent::Aside);
        write(&mut paper);
        holds(&paper);
    }

    #[test]
    fn a_text_that_must_end_early_ends_with_a_whole_sentence() {
        let write = |paper: &mut Paper<'_>| {
            paper.labelled("Since", "Monday", Role::Text);
            paper.labelled("Detail", "four probes failed, one after the other", Role::Text);
            paper.head("Runs");
            paper.labelled("One", "ok", Role::Text);
        };
        written_by(write, |paper| {
            let shown: Vec<usize> = (0..8).map(|height| paper.whole(height)).collect();
            assert_eq!((paper.lines.len(), shown), (7, vec![0, 1, 1, 1, 4, 4, 4, 7]), "{:?}", paper.lines);
        });
    }

    #[test]
    fn markdown_ends_before_a_table_an_item_or_under_no_heading() {
        let text = "One paragraph of some length.\n\n1. first step of all\n2. second\n\n## What then\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
        written_by(
            |paper| paper.markdown(text),
            |paper| {
                let ends = |height: usize| paper.lines.get(paper.whole(height).saturating_sub(1)).map(ToString::to_string);
                let all: Vec<String> = paper.lines.iter().map(ToString::to_string).collect();
                assert_eq!(paper.whole(1), 0, "{all:#?}");
                assert_eq!(ends(2).as_deref(), Some("some length."), "{all:#?}");
                let second = all.iter().position(|line| line.contains("second")).unwrap() + 1;
                for height in second..all.len() {
                    assert_eq!(paper.whole(height), second, "{height} {all:#?}");
                }
                assert_eq!(paper.whole(all.len()), all.len());
            },
        );
    }
}
