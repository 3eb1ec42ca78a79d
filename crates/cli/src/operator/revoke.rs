//! `admit revoke`: a client gets no more licenses.

use admit_protocol::Code;
use serde_json::json;

use crate::args::RevokeArgs;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::now;

/// Revokes the client. One that is revoked already stays as it is.
pub(crate) fn run(args: &RevokeArgs, output: Output) -> Outcome<()> {
    let revocation = super::runtime()?.block_on(async {
        let home = super::open_home(&args.home).await?;
        let revocation = home.revoke_client(&args.client, args.reason.as_deref(), now()).await.map_err(advised);
        home.close().await;
        revocation
    })?;
    let (client, at) = (args.client, revocation.at);
    output.json(|| json!({ "revoked": client.to_string(), "at": at.to_string(), "again": !revocation.is_new }));
    output.line(|| match revocation.is_new {
        true => format!("revoked {client}; it gets no more licenses from now on"),
        false => format!("{client} was revoked already, on {at}"),
    });
    Ok(())
}

/// The code's own advice is for clients.
fn advised(error: admit_server::Error) -> Failure {
    let failure = Failure::from(error);
    match failure.code {
        Code::ADMIT_E_CLIENT_CERTIFICATE_UNKNOWN => {
            failure.with_action("Run admit audit: entries client-enrolled and licenses-issued name clients")
        }
        _ => failure,
    }
}
