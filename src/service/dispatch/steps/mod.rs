//! Where the parts meet: what the dispatcher does with each message and in each turn. These files hold no state.

mod committed;
mod decided;
mod left;
mod rounds;
mod tended;
mod walked;
