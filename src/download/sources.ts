/**
 * What can be downloaded, from where, and how the right files are told from others.
 *
 * Where each figure comes from:
 * - MD5 and addresses of MNIST, and MD5 of the CIFAR archives and of their members: pytorch/vision,
 *   torchvision/datasets/mnist.py and cifar.py. CIFAR's page, https://www.cs.toronto.edu/~kriz/cifar.html, prints the
 *   same MD5 for its archives.
 * - MD5 and addresses of Fashion-MNIST: README of github.com/zalandoresearch/fashion-mnist, the same in torchvision.
 * - Sizes: tensorflow/datasets, url_checksums/mnist.txt and fashion_mnist.txt; of the CIFAR archives, what the server
 *   announces in published logs. Unpacked sizes follow from the IDX format: header and one byte a value.
 * The makers of the four sets publish no other checksum than MD5.
 */

/** A file as it is published. */
export interface PublishedFile {
  readonly name: string;
  readonly bytes: number;
  /** In hex. */
  readonly md5: string;
  /** Where it lies; tried in turn. */
  readonly urls: readonly string[];
}

export interface GzippedFile extends PublishedFile {
  /** Size of the same file without .gz, which the backend reads before it. */
  readonly plainBytes: number;
}

/** Files that are read as they are published. */
export interface LooseFiles {
  readonly name: string;
  readonly kind: "files";
  /** Below the data directory. */
  readonly folder: string;
  readonly files: readonly GzippedFile[];
}

/** An archive (.tar.gz), of which some members are read. */
export interface ArchivedFiles {
  readonly name: string;
  readonly kind: "archive";
  /** Below the data directory, and the members' folder in the archive. */
  readonly folder: string;
  readonly archive: PublishedFile;
  readonly members: readonly { readonly name: string; readonly md5: string }[];
}

export type DataSource = LooseFiles | ArchivedFiles;

const IMAGE_HEADER = 16;
const LABEL_HEADER = 8;
const PIXELS = 28 * 28;

const MNIST_PLACES = ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"];

const FASHION_PLACES = [
  "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
  "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
];

const at = (places: readonly string[], name: string): string[] => places.map((place) => `${place}${name}`);

/** The four files of MNIST and of the sets in its likeness, each with its published size and MD5. */
function idxFiles(
  places: readonly string[],
  published: readonly (readonly [name: string, plainBytes: number, bytes: number, md5: string])[],
): GzippedFile[] {
  return published.map(([name, plainBytes, bytes, md5]) => ({ name, plainBytes, bytes, md5, urls: at(places, name) }));
}

const mnist: LooseFiles = {
  name: "mnist",
  kind: "files",
  folder: "MNIST/raw",
  files: idxFiles(MNIST_PLACES, [
    ["train-images-idx3-ubyte.gz", IMAGE_HEADER + 60_000 * PIXELS, 9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"],
    ["train-labels-idx1-ubyte.gz", LABEL_HEADER + 60_000, 28_881, "d53e105ee54ea40749a09fcbcd1e9432"],
    ["t10k-images-idx3-ubyte.gz", IMAGE_HEADER + 10_000 * PIXELS, 1_648_877, "9fb629c4189551a2d022fa330f9573f3"],
    ["t10k-labels-idx1-ubyte.gz", LABEL_HEADER + 10_000, 4_542, "ec29112dd5afa0611ce80d1b7f02629c"],
  ]),
};

const fashionMnist: LooseFiles = {
  name: "fashion-mnist",
  kind: "files",
  folder: "FashionMNIST/raw",
  files: idxFiles(FASHION_PLACES, [
    ["train-images-idx3-ubyte.gz", IMAGE_HEADER + 60_000 * PIXELS, 26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"],
    ["train-labels-idx1-ubyte.gz", LABEL_HEADER + 60_000, 29_515, "25c81989df183df01b3e8a0aad5dffbe"],
    ["t10k-images-idx3-ubyte.gz", IMAGE_HEADER + 10_000 * PIXELS, 4_422_102, "bef4ecab320f06d8554ea6380940ec79"],
    ["t10k-labels-idx1-ubyte.gz", LABEL_HEADER + 10_000, 5_148, "bb300cfdad3c16e7a12a480ee83cd310"],
  ]),
};

const cifar10: ArchivedFiles = {
  name: "cifar10",
  kind: "archive",
  folder: "cifar-10-batches-py",
  archive: {
    name: "cifar-10-python.tar.gz",
    bytes: 170_498_071,
    md5: "c58f30108f718f92721af3b95e74349a",
    urls: ["https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"],
  },
  members: [
    { name: "data_batch_1", md5: "c99cafc152244af753f735de768cd75f" },
    { name: "data_batch_2", md5: "d4bba439e000b95fd0a9bffe97cbabec" },
    { name: "data_batch_3", md5: "54ebc095f3ab1f0389bbae665268c751" },
    { name: "data_batch_4", md5: "634d18415352ddfa80567beed471001a" },
    { name: "data_batch_5", md5: "482c414d41f54cd18b22e5b47cb7c3cb" },
    { name: "test_batch", md5: "40351d587109b95175f43aff81a1287e" },
    { name: "batches.meta", md5: "5ff9c542aee3614f3951f8cda6e48888" },
  ],
};

const cifar100: ArchivedFiles = {
  name: "cifar100",
  kind: "archive",
  folder: "cifar-100-python",
  archive: {
    name: "cifar-100-python.tar.gz",
    bytes: 169_001_437,
    md5: "eb9058c3a382ffc7106e4002c42a8d85",
    urls: ["https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"],
  },
  members: [
    { name: "train", md5: "16019d7e3df5f24257cddd939b257f8d" },
    { name: "test", md5: "f0ef6b0ae62326f3e7ffdfab6717acfc" },
    { name: "meta", md5: "7973b15100ade9c7d40fb424638fde48" },
  ],
};

export const SOURCES: readonly DataSource[] = [mnist, fashionMnist, cifar10, cifar100];
