//! Nothing that belongs to a platform is missing, and nothing lies around that belongs to none.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use livehook::{
    model::Proof,
    platform::{Descriptor, Priority},
    platforms,
};

use crate::support::{cases, desk::Desk, desk::Outcome};

#[test]
fn every_folder_is_in_the_registry_and_the_reverse() {
    let folders: BTreeSet<_> = sources().iter().filter(|path| path.is_dir()).map(|path| name(path)).collect();
    let registered: BTreeSet<_> =
        platforms::ALL.iter().map(|platform| platform.descriptor().id.to_owned()).collect();
    assert_eq!(folders, registered, "folders of src/platforms, and the list in src/platforms/mod.rs");
    assert_eq!(registered.len(), platforms::ALL.len(), "an id is there twice");
}

#[test]
fn every_platform_has_a_readme_that_explains_each_of_its_settings() {
    for platform in platforms::ALL {
        let descriptor = platform.descriptor();
        let path = source(descriptor.id).join("README.md");
        let readme = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
        for setting in descriptor.settings {
            assert!(readme.contains(setting.name), "{} does not mention {}", path.display(), setting.name);
        }
        for callback in descriptor.callbacks {
            assert!(readme.contains(callback.name), "{} does not mention {}", path.display(), callback.name);
        }
    }
}

#[test]
fn every_descriptor_is_whole() {
    for platform in platforms::ALL {
        let descriptor = platform.descriptor();
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        assert!(is_name(descriptor.id), "{}", descriptor.id);
        assert_eq!(platform.callbacks().is_some(), !descriptor.callbacks.is_empty(), "{}", descriptor.id);
        let names: BTreeSet<_> = descriptor.callbacks.iter().map(|callback| callback.name).collect();
        assert_eq!(names.len(), descriptor.callbacks.len(), "{}: a callback is there twice", descriptor.id);
        for callback in descriptor.callbacks {
            assert!(is_name(callback.name), "{}", callback.name);
            assert!(!callback.about.is_empty(), "{} says nothing about itself", callback.name);
            assert!(!callback.emits.is_empty(), "{} leads to nothing", callback.name);
            let types: BTreeSet<_> = callback.emits.iter().collect();
            assert_eq!(types.len(), callback.emits.len(), "{}: an event is there twice", callback.name);
            let is_playback = callback.emits.iter().any(|emitted| emitted.noun().is_playback());
            assert!(
                is_playback || callback.priority == Priority::High,
                "{} is given up first although it is not about playback",
                callback.name
            );
        }
    }
}

#[test]
fn every_callback_has_a_case_that_leads_to_an_event() {
    let mut led = BTreeSet::new();
    for case in cases::all() {
        let mut desk = Desk::default();
        for request in &case.requests {
            let treated = desk.treat(case, request);
            if treated.outcome == Outcome::Accepted && !treated.events.is_empty() {
                led.insert((case.platform.descriptor().id, request.delivery.callback.name));
            }
        }
    }
    for platform in platforms::ALL {
        let id = platform.descriptor().id;
        for callback in platform.descriptor().callbacks {
            assert!(
                led.contains(&(id, callback.name)),
                "no case leads to an event: add one to tests/platforms/{id}/{}",
                callback.name
            );
        }
    }
}

#[test]
fn every_question_is_documented_and_the_reverse() {
    for platform in platforms::ALL {
        let descriptor = platform.descriptor();
        let asked: BTreeSet<_> = descriptor.callbacks.iter().filter_map(|callback| callback.asks).collect();
        let documents = platform.questions().map(|questions| questions.documents()).unwrap_or_default();
        let documented: BTreeSet<_> = documents.iter().map(|document| document.name).collect();
        assert_eq!(asked, documented, "{}", descriptor.id);
    }
}

#[test]
fn every_case_says_where_it_comes_from() {
    for case in cases::all() {
        assert!(case.origin.len() > 10, "{}: `# origin:` says too little", case.path.display());
    }
}

#[test]
fn every_platform_that_signs_has_a_case_that_somebody_else_signed() {
    let mut outcomes: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
    for case in cases::all() {
        let (is_proven, is_refused) = outcomes.entry(case.platform.descriptor().id).or_default();
        for request in &case.requests {
            let treated = Desk::default().treat(case, request);
            *is_proven |= treated.events.iter().any(|event| event.proof == Proof::Signature);
            *is_refused |= matches!(treated.outcome, Outcome::Refused(_));
        }
    }
    for (id, (is_proven, is_refused)) in outcomes {
        assert!(!is_proven || is_refused, "{id} signs, but no case has a wrong signature");
    }
}

#[test]
fn every_file_among_the_cases_is_one() {
    for platform in cases::files_in(&cases::root()) {
        let known = platforms::find(&name(&platform)).map(|platform| platform.descriptor());
        let descriptor = known.unwrap_or_else(|| panic!("{}: there is no such platform", platform.display()));
        for callback in cases::files_in(&platform) {
            if name(&callback) == "poll" {
                check_poll_folder(descriptor, &callback);
                continue;
            }
            let is_known = descriptor.callback(&name(&callback)).is_some();
            assert!(is_known, "{}: there is no such callback", callback.display());
            for file in cases::files_in(&callback) {
                check_file(&file);
            }
        }
    }
}

fn check_poll_folder(descriptor: &Descriptor, folder: &Path) {
    for watch in cases::files_in(folder) {
        let is_known = descriptor.watch(&name(&watch)).is_some();
        assert!(is_known, "{}: there is no such watch", watch.display());
        for file in cases::files_in(&watch) {
            check_file(&file);
        }
    }
}

fn check_file(file: &Path) {
    let stem = file.file_stem().unwrap().to_str().unwrap();
    let is_plain = stem.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    assert!(is_plain, "{}: use lower-case letters, digits and hyphens", file.display());
    let twin = match file.extension().and_then(|extension| extension.to_str()) {
        Some("http") => file.with_extension("expect"),
        Some("expect") => file.with_extension("http"),
        _ => panic!("{}: only .http and .expect are known here", file.display()),
    };
    assert!(twin.is_file(), "{}: its twin {} is missing", file.display(), name(&twin));
}

fn sources() -> Vec<PathBuf> {
    cases::files_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platforms"))
}

fn source(id: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platforms").join(id)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
