//! Documents: their names, the paths of their fields, and typed values for them; pure, and the same for reading and writing.

mod field_path;
mod name;
mod value;
mod written;

pub use field_path::{FieldPath, FieldPathError};
pub use name::{DocumentName, segments_of};
pub use value::{Change, FieldValue, Precondition};
pub use written::{FieldKind, Written, kind_column};
