//! What a person should know of bundles that are not sent.

use super::View;
use super::overview::{Group, Groups};
use crate::model::RelPath;
use crate::service::decide::OpenBundle;
use crate::service::why::{Why, WhyKind};

impl View {
    /// Returns how each bundle that is not sent stands; one look is enough.
    fn open_bundles(&mut self) -> &[OpenBundle] {
        let now = self.clock.now().for_settle();
        let decide = &mut self.decide;
        self.open_bundles.get_or_insert_with(|| decide.open_bundles(now))
    }

    /// Returns why nothing can be done with some bundles: their manifests follow no change until that is mended.
    pub(super) fn troubled_bundles(&mut self) -> Vec<(RelPath, Why)> {
        let trouble = |open: &OpenBundle| Some((open.folder.clone(), Why::of(open.refused.as_ref().err()?)));
        self.open_bundles().iter().filter_map(trouble).collect()
    }

    /// Returns the files of bundles of which markets would decide otherwise today, since rules or tags changed after they
    /// were bundled: those that their market would refuse, and those that further markets would take.
    pub fn other_verdicts(&mut self) -> [Vec<Group>; 2] {
        let (mut refused, mut taken) = <(Groups, Groups)>::default();
        for open in self.open_bundles() {
            for (file, why) in open.refused.iter().flatten() {
                refused.add(file.clone(), Why::new(WhyKind::Market, why));
            }
            for (file, what) in &open.taken {
                taken.add(file.clone(), Why::new(WhyKind::Market, what));
            }
        }
        [refused.sorted(), taken.sorted()]
    }
}
