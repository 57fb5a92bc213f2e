//! Nothing acknowledged is lost (contract §7): livehook, its disk and its bus are broken under load, and an
//! observer compares what was answered with what is in the stream.
//!
//! Every comparison ends with a negative control: a loss is added to the same log, and the judge must see it.
//! A test that can be weakened further names its own control.
//!
//! | setting | gate | `make soak` |
//! | --- | --- | --- |
//! | `LIVEHOOK_KILLS` | 10 | 200 |
//! | `LIVEHOOK_CUTS` | 2 | 20 |
//! | `LIVEHOOK_AWAY_SECONDS` | 3 | 10 |
//! | `LIVEHOOK_ACKS` | 5,000 | 50,000 |

mod bus;
mod disk;
mod kills;
mod power;
mod process;
