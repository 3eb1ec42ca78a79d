//! Acquisition that a page comes before (rows B03 and B06): the user is shown where to go, says when it is done, and a fresh
//! challenge is made. Without a terminal the address is told with the failure.

use std::io::{IsTerminal as _, Write as _};

use admit_client::acquire::Wanted;
use admit_license::VerifiedLicense;
use admit_protocol::Code;

use super::acquire::Session;
use crate::failure::{Failure, Outcome, printable};
use crate::system::Http;

/// Acquires licenses, as often as the user comes back from a page. `license_page` is the one that the content's signed
/// header names (`LUI_URL`), for a service that names none.
pub(crate) fn acquire(
    session: &mut Session,
    wanted: &Wanted<'_>,
    license_page: Option<&str>,
    http: &Http,
) -> Outcome<Vec<VerifiedLicense>> {
    let mut given: Option<String> = None;
    loop {
        let wanted = Wanted { token: given.as_deref().or(wanted.token), ..wanted.clone() };
        let failure = match session.acquire(&wanted, http) {
            Ok(licenses) => return Ok(licenses),
            Err(failure) => failure,
        };
        let Some(page) = page_before(&failure, license_page) else { return Err(failure) };
        // Others may use the store while the user is away.
        match session.unlocked(|| Ok(ask(&failure, &page)))? {
            Answer::Done => {}
            Answer::Token(token) => given = Some(token),
            Answer::None => return Err(told_with_page(failure, page)),
        }
    }
}

/// What the user said.
enum Answer {
    /// It is done.
    Done,
    /// It is done, and this token was given there.
    Token(String),
    /// Nothing, or there is nobody to ask.
    None,
}

/// The page that helps against this failure, if one does.
fn page_before(failure: &Failure, license_page: Option<&str>) -> Option<String> {
    let is_page_first = matches!(failure.code, Code::ADMIT_E_PAGE_FIRST | Code::ADMIT_E_TOKEN_REQUIRED);
    let page = failure.page.as_deref().or(license_page);
    page.filter(|_| is_page_first).map(str::to_owned)
}

fn told_with_page(failure: Failure, page: String) -> Failure {
    let action = match failure.code {
        Code::ADMIT_E_TOKEN_REQUIRED => {
            format!("Get a license at {page}, or pass the token you were given with --token")
        }
        _ => format!("Go to {page}, do what it asks for, and then ask for the license again"),
    };
    Failure { page: Some(page), ..failure.with_action(action) }
}

fn ask(failure: &Failure, page: &str) -> Answer {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Answer::None;
    }
    let question = format!(
        "{}.\nGo to {}\nThen press Enter. If you were given a token there, paste it before. ",
        printable(failure.sentence.trim_end_matches('.')),
        printable(page)
    );
    // Who does not see the question does not answer it.
    let _ = std::io::stderr().write_all(question.as_bytes());
    let mut answer = String::new();
    match std::io::stdin().read_line(&mut answer) {
        Ok(0) | Err(_) => Answer::None,
        Ok(_) if answer.trim().is_empty() => Answer::Done,
        Ok(_) => Answer::Token(answer.trim().to_owned()),
    }
}
