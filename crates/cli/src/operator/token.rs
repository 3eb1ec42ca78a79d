//! `admit token`: an entitlement token for a buyer.

use admit_server::token::TokenRequest;
use serde_json::json;

use crate::args::TokenArgs;
use crate::failure::Outcome;
use crate::output::Output;
use crate::system::{SystemEntropy, now};

/// Mints the token and prints it alone on a line.
pub(crate) fn run(args: &TokenArgs, output: Output) -> Outcome<()> {
    let request = TokenRequest {
        subject: args.subject.clone(),
        content: args.content.clone(),
        lifetime: args.valid,
        uses: args.uses,
        bound_to: args.bound_to,
        policy: args.claims.iter().cloned().collect(),
    };
    let token = super::runtime()?.block_on(async {
        let home = super::open_home(&args.home).await?;
        let token = home.mint_token(&request, now(), &mut SystemEntropy).await?;
        home.close().await;
        Outcome::Ok(token)
    })?;
    output.json(|| json!({ "token": token, "subject": args.subject, "content": args.content }));
    output.line(|| token);
    Ok(())
}
