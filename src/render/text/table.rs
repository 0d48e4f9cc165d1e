//! Columns of text that stand under each other, in as many blocks as the width needs.
//!
//! No table library: cells are aligned on the decimal point, hold marks that must not shift them, are painted without counting
//! the escapes, and wide tables go on in a second block under the same labels. Libraries align left, right or centre, and wrap within cells.

use super::page::TextPage;
use super::view::{Paint, Role};
use crate::wrap::columns as width;

/// Columns between columns.
pub(super) const GAP: usize = 2;

/// One cell, laid out: as wide as its column needs it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) role: Option<Role>,
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { text, role: None }
    }
}

/// Where a column's texts stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A column: its head and its cells.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) head: String,
    pub(crate) cells: Vec<Text>,
    pub(crate) align: Align,
}

impl Column {
    pub(crate) fn new(head: &str, align: Align) -> Self {
        Self {
            head: head.to_owned(),
            cells: Vec::new(),
            align,
        }
    }

    /// A column of plain texts.
    pub(crate) fn of(head: &str, align: Align, cells: impl IntoIterator<Item = String>) -> Self {
        Self {
            cells: cells.into_iter().map(Text::from).collect(),
            ..Self::new(head, align)
        }
    }

    pub(super) fn width(&self) -> usize {
        self.cells
            .iter()
            .map(|cell| width(&cell.text))
            .chain([width(&self.head)])
            .max()
            .unwrap_or(0)
    }

    fn padded(&self, text: &Text, paint: Paint<'_>) -> String {
        let space = " ".repeat(self.width() - width(&text.text));
        let painted = text
            .role
            .map_or_else(|| text.text.clone(), |role| paint(role, &text.text));
        match self.align {
            Align::Left => painted + &space,
            Align::Right => space + &painted,
        }
    }
}

/// Lines of a table in at most as many columns as the page has: `labels` begin every block, `columns` are spread over the blocks, `last` stays
/// together in the last one.
pub(crate) fn blocks(
    labels: &[Column],
    columns: &[Column],
    last: &[Column],
    page: &TextPage<'_>,
) -> Vec<Vec<String>> {
    let taken: usize = labels.iter().map(|label| label.width() + GAP).sum();
    let mut blocks: Vec<Vec<&Column>> = vec![Vec::new()];
    let mut used = taken;
    let groups = columns
        .iter()
        .map(std::slice::from_ref)
        .chain(std::iter::once(last));
    for group in groups {
        let needs: usize = group.iter().map(|column| column.width() + GAP).sum();
        // The gap behind the last column is not needed.
        if used + needs > page.width + GAP && blocks.last().is_some_and(|block| !block.is_empty()) {
            blocks.push(Vec::new());
            used = taken;
        }
        used += needs;
        if let Some(block) = blocks.last_mut() {
            block.extend(group);
        }
    }
    blocks
        .into_iter()
        .map(|block| lines(&labels.iter().chain(block).collect::<Vec<_>>(), page.paint))
        .collect()
}

fn lines(columns: &[&Column], paint: Paint<'_>) -> Vec<String> {
    let join = |cells: Vec<String>| cells.join(&" ".repeat(GAP)).trim_end().to_owned();
    let head = columns
        .iter()
        .map(|column| column.padded(&column.head.clone().into(), paint))
        .collect();
    let rows = columns
        .iter()
        .map(|column| column.cells.len())
        .max()
        .unwrap_or(0);
    let row = |row: usize| {
        columns
            .iter()
            .map(|column| column.padded(&column.cells.get(row).cloned().unwrap_or_default(), paint))
            .collect()
    };
    std::iter::once(join(head))
        .chain((0..rows).map(|number| join(row(number))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: usize) -> TextPage<'static> {
        let mut page = TextPage::new(80, &|_, text| format!("<{text}>"));
        page.width = width;
        page
    }

    #[test]
    fn a_table_goes_on_below_when_it_is_too_wide() {
        let labels = [Column::of(
            "mode",
            Align::Left,
            ["async".to_owned(), "process".to_owned()],
        )];
        let columns: Vec<Column> = ["1", "2", "4"]
            .map(|head| Column::of(head, Align::Right, ["10.0".to_owned(), "–".to_owned()]))
            .into();
        let (columns, last) = columns.split_at(2);
        // 7 + 2 + 4 + 2 + 4 = 19.
        let expected = [
            "mode        1     2",
            "async    10.0  10.0",
            "process     –     –",
            "mode        4",
            "async    10.0",
            "process     –",
        ];
        assert_eq!(blocks(&labels, columns, last, &page(19)).concat(), expected);
        assert_eq!(blocks(&labels, columns, last, &page(18)).len(), 3);
        assert_eq!(blocks(&labels, columns, last, &page(25)).len(), 1);
        let both = [last[0].clone(), last[0].clone()];
        assert_eq!(
            blocks(&labels, &columns[..1], &both, &page(19)).len(),
            2,
            "what belongs together stays together"
        );
    }

    #[test]
    fn paint_does_not_shift_what_it_paints() {
        let mut column = Column::of("n", Align::Right, ["1".to_owned(), "100".to_owned()]);
        column.cells[0].role = Some(Role::Best);
        assert_eq!(
            blocks(&[], &[column], &[], &page(80)).concat(),
            ["  n", "  <1>", "100"]
        );
    }
}
