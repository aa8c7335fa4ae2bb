//! Screens by name, for drawing one without a terminal.

use super::{
    message::Msg,
    model::Model,
    overlay::Overlay,
    palette::Palette,
    place::{Pane, Place, Thing},
    update,
};
use crate::domain::snapshot::Subject;

impl Model {
    /// The names that [`Model::go_to`] knows, in the order of the panes.
    pub fn screens(&self) -> Vec<String> {
        let mut names = vec!["home".to_owned()];
        names.extend(Pane::ALL.iter().map(|pane| pane.title().to_lowercase()));
        names.extend(self.pack.queues.iter().map(|queue| format!("queue:{}", queue.id)));
        names.extend(self.pack.playbooks.iter().map(|playbook| format!("playbook:{}", playbook.id)));
        names.extend(self.pack.jobs.iter().map(|job| format!("job:{}", job.id)));
        names.extend(self.pack.checks.iter().map(|check| format!("why:{}", check.id)));
        names.extend(["help", "palette", "errors"].map(ToOwned::to_owned));
        names
    }

    /// Shows a screen by its name; the pane of that name on the full screen, or a queue's items (`queue:reviews`, or its id).
    pub fn go_to(&mut self, name: &str) -> Result<(), String> {
        let place = |pane| Place { pane, zoomed: true, queue: None, page: None };
        if let Some(pane) = Pane::ALL.iter().find(|pane| pane.title().eq_ignore_ascii_case(name)) {
            self.place = place(*pane);
        } else if let Some(queue) = queue_of(self, name) {
            update::work_on(self, &queue);
            self.place.zoomed = true;
        } else {
            match name {
                "home" => self.place = Place::default(),
                "help" => self.overlay = Some(Overlay::Help { scroll: 0 }),
                "palette" => self.overlay = Some(Overlay::Palette(Palette::open(self))),
                "errors" => self.overlay = Some(Overlay::Errors { scroll: 0 }),
                _ => {
                    let Some((pane, thing)) = page_of(self, name) else {
                        return Err(format!("there is no screen `{name}`; there are {}", self.screens().join(", ")));
                    };
                    self.place = Place { page: Some(thing), ..place(pane) };
                }
            }
        }
        let now = self.now;
        let (width, height) = self.size;
        update(self, Msg::Resize(width, height), now);
        Ok(())
    }
}

fn queue_of(model: &Model, name: &str) -> Option<crate::domain::id::Id<crate::domain::pack::Queue>> {
    let name = name.strip_prefix("queue:").unwrap_or(name);
    model.pack.queues.iter().find(|queue| queue.id.as_str() == name).map(|queue| queue.id.clone())
}

fn page_of(model: &Model, name: &str) -> Option<(Pane, Thing)> {
    let (kind, name) = name.split_once(':')?;
    match kind {
        "playbook" => {
            let found = model.pack.playbooks.iter().find(|playbook| playbook.id.as_str() == name)?;
            Some((Pane::Playbooks, Thing::Playbook(found.id.clone())))
        }
        "job" => {
            let found = model.pack.jobs.iter().find(|job| job.id.as_str() == name)?;
            Some((Pane::Jobs, Thing::Job(found.id.clone())))
        }
        "why" => {
            let found = model.pack.checks.iter().find(|check| check.id.as_str() == name)?;
            Some((Pane::Alerts, Thing::Alert(Subject::Check(found.id.clone()))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::ui::model::fixture;

    #[test]
    fn every_screen_that_is_named_can_be_shown() {
        for name in fixture::model().screens() {
            let mut model = fixture::model();
            assert_eq!(model.go_to(&name), Ok(()), "{name}");
        }
        assert!(
            fixture::model().go_to("nowhere").unwrap_err().starts_with("there is no screen `nowhere`; there are home, alerts")
        );
    }

    #[test]
    fn a_queue_is_shown_by_its_id_alone() {
        let mut model = fixture::model();
        model.go_to("refunds").unwrap();
        assert_eq!(model.work().map(|work| work.queue.to_string()).as_deref(), Some("refunds"));
    }
}
