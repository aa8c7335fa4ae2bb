//! The command palette: every command, action, preset, queue, job, flag and playbook, found by a few letters.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

use super::{
    field::Field,
    keymap::{Context, Intent, TABLE},
    model::Model,
};
use crate::domain::{
    id::Id,
    pack::{self, Action, Flag, Job, Playbook, Queue},
};

#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    Intent(Intent),
    /// An action on what is marked or selected in the queue being worked.
    Action(Id<Action>),
    Preset(Id<Queue>, String),
    Queue(Id<Queue>),
    Playbook(Id<Playbook>),
    Run(Id<Job>),
    Flip(Id<Flag>),
}

#[derive(Clone, Debug)]
pub struct Choice {
    pub entry: Entry,
    /// What is typed to find it.
    pub name: String,
    pub says: String,
    pub key: String,
}

#[derive(Clone, Debug, Default)]
pub struct Palette {
    pub field: Field,
    pub at: usize,
    choices: Vec<Choice>,
    /// Places in `choices`, the best first.
    hits: Vec<usize>,
}

impl Palette {
    pub fn open(model: &Model) -> Self {
        let mut palette = Self { choices: choices(model), ..Self::default() };
        palette.search();
        palette
    }

    pub fn len(&self) -> usize {
        self.hits.len()
    }

    pub fn hit(&self, at: usize) -> Option<&Choice> {
        self.choices.get(*self.hits.get(at)?)
    }

    pub fn search(&mut self) {
        self.at = 0;
        let text = self.field.text().trim();
        if text.is_empty() {
            self.hits = (0..self.choices.len()).collect();
            return;
        }
        let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut scored: Vec<(u32, usize)> = Vec::new();
        for (place, choice) in self.choices.iter().enumerate() {
            // The name counts more than the words that explain it.
            let name = pattern.score(Utf32Str::new(&choice.name, &mut buffer), &mut matcher).map(|score| score * 4);
            let says = pattern.score(Utf32Str::new(&choice.says, &mut buffer), &mut matcher);
            if let Some(score) = name.max(says) {
                scored.push((if choice.name == text { u32::MAX } else { score }, place));
            }
        }
        scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        self.hits = scored.into_iter().map(|(_, place)| place).collect();
    }
}

fn choices(model: &Model) -> Vec<Choice> {
    let pack = &model.pack;
    let context = Context::of(&model.place);
    let mut choices = Vec::new();
    if let Some(queue) = model.place.queue.as_ref().and_then(|id| pack::find(&pack.queues, id)) {
        for action in queue.actions.iter().filter_map(|id| pack::find(&pack.actions, id)) {
            choices.push(Choice {
                entry: Entry::Action(action.id.clone()),
                name: action.id.to_string(),
                says: format!("{} what is marked, else the selected row", action.title),
                key: action.key.map_or_else(String::new, String::from),
            });
        }
        choices.extend(queue.presets.iter().map(|preset| Choice {
            entry: Entry::Preset(queue.id.clone(), preset.name.clone()),
            name: format!("preset {}", preset.name),
            says: format!("only {}", preset.filter.source()),
            key: String::new(),
        }));
    }
    choices.extend(model.keymap.working_in(context).map(|(binding, chords)| Choice {
        entry: Entry::Intent(binding.intent),
        name: binding.command.to_owned(),
        says: binding.says.to_owned(),
        key: chords.first().map_or_else(String::new, ToString::to_string),
    }));
    // Wherever one is, the command that runs can be stopped.
    let stop = TABLE.iter().find(|binding| binding.intent == Intent::StopRun && !binding.contexts.contains(&context));
    choices.extend(stop.filter(|_| model.running().next().is_some()).map(|binding| Choice {
        entry: Entry::Intent(binding.intent),
        name: binding.command.to_owned(),
        says: binding.says.to_owned(),
        key: String::new(),
    }));
    let more = |entry, name: String, says: String| Choice { entry, name, says, key: String::new() };
    choices.extend(
        pack.queues.iter().map(|queue| {
            more(Entry::Queue(queue.id.clone()), format!("work {}", queue.id), format!("the queue {}", queue.title))
        }),
    );
    choices.extend(
        pack.playbooks.iter().map(|playbook| {
            more(Entry::Playbook(playbook.id.clone()), format!("playbook {}", playbook.id), playbook.title.clone())
        }),
    );
    choices.extend(
        pack.jobs
            .iter()
            .filter(|job| job.run.is_some())
            .map(|job| more(Entry::Run(job.id.clone()), format!("run {}", job.id), format!("{} (asks first)", job.title))),
    );
    choices.extend(
        pack.flags
            .iter()
            .map(|flag| more(Entry::Flip(flag.id.clone()), format!("flip {}", flag.id), format!("{} (asks first)", flag.title))),
    );
    choices
}
